"""X API v2: whole tables of small real files, and every sample against a reader of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.errors import InputError
from tests.loaders.conftest import Load, Shelf, Write

SAMPLES = Path(__file__).parent.parent / "fixtures" / "exports" / "x-api-v2"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_retweet_is_a_share_of_the_original(loaded: Load) -> None:
    shelf, report = loaded(SAMPLES / "two_tweets.jsonl")
    assert report.format == "x-api-v2"
    seen = at("2021-05-19T15:26:17")
    assert shelf.rows("shares") == [
        {
            "user_id": "x:1379899464345923590",
            "content_id": "x:1391677057810288641",
            "at": at("2021-05-18T19:24:56"),
            "kind": "share",
        }
    ]
    assert shelf.rows("content") == [
        {
            "content_id": "x:1391677057810288641",
            "platform": "x",
            "kind": "post",
            "author_id": "x:1380086327023169540",
            "created_at": at("2021-05-10T08:50:41"),
            "text": "#POIUYTREWQ",
            "url": "https://x.com/i/status/1391677057810288641",
            "lang": "und",
            "root_id": "x:1391677057810288641",
            "shares_count": 1,
            "likes_count": 0,
            "replies_count": 0,
            "quotes_count": 0,
            "seen_at": seen,
        }
    ]
    assert shelf.rows("topics") == [
        {"content_id": "x:1391677057810288641", "kind": "hashtag", "label": "poiuytrewq"}
    ]
    assert shelf.column("users", "user_id", "handle", "followers_count", "seen_at") == {
        ("x:1380086327023169540", "bibaigna96", 1, seen),
        ("x:1379899464345923590", "LachiVeronica", 0, seen),
    }
    assert shelf.rows("mentions") == [], "a retweet's mentions are copies"


def test_a_quote_that_replies_to_an_edited_post(loaded: Load) -> None:
    """The post was edited: it is known by the first id of its history."""
    shelf, _ = loaded(SAMPLES / "quoted_edit.jsonl")
    user, post, first = "x:1494167419413094401", "x:1576995594388000768", "x:1576994746135764992"
    when = at("2022-10-03T18:00:23")
    assert shelf.rows("shares") == [
        {"user_id": user, "content_id": first, "at": when, "kind": "quote"}
    ]
    assert shelf.rows("replies") == [
        {"user_id": user, "parent_content_id": first, "at": when, "content_id": post}
    ]
    assert shelf.rows("mentions") == [
        {"user_id": user, "target_id": "x:337119125", "at": when, "content_id": post}
    ]
    assert shelf.column(
        "content", "content_id", "kind", "author_id", "root_id", "quotes_count"
    ) == {
        (post, "reply", user, first, 0),
        (first, "post", "x:337119125", first, 4),
    }


def test_versions_of_an_edited_post_are_one(loaded: Load, write: Write) -> None:
    both = b"".join((SAMPLES / f"edited_{n}.jsonl").read_bytes() for n in ("after", "before"))
    shelf, _ = loaded(write("both.jsonl", both))
    assert shelf.column("content", "content_id", "created_at", "seen_at") == {
        ("x:1576994746135764992", at("2022-10-03T17:57:01"), at("2022-10-03T18:01:17"))
    }


def test_mentions_links_and_replies(loaded: Load) -> None:
    shelf, _ = loaded(SAMPLES / "geo_tweets.jsonl")
    reply, parent = "x:1501963039859363843", "x:1501958949863661574"
    assert shelf.rows("replies") == [
        {
            "user_id": "x:495430242",
            "parent_content_id": parent,
            "at": at("2022-03-10T16:47:48"),
            "content_id": reply,
        }
    ]
    assert shelf.column("mentions", "user_id", "target_id", "content_id") == {
        ("x:495430242", "x:783214", reply),
        ("x:495430242", "x:2919151", reply),
        ("x:2919151", "x:783214", parent),
    }
    links = {(k, label) for _, k, label in shelf.column("topics", "content_id", "kind", "label")}
    assert {pair for pair in links if pair[0] != "hashtag"} == {
        ("url", "https://www.instagram.com/p/B-7ItQwBJ93/?igshid=187dqx4b5lu2y"),
        ("url", "https://twarc-project.readthedocs.io/en/latest/twarc2_en_us/"),
        ("domain", "instagram.com"),
        ("domain", "twarc-project.readthedocs.io"),
    }


def test_the_order_of_lines_does_not_matter(loaded: Load, write: Write) -> None:
    names = ("two_tweets", "quoted_edit", "edited_before", "edited_after", "geo_tweets")
    lines = [(SAMPLES / f"{n}.jsonl").read_bytes().strip() for n in names]
    shelf, _ = loaded(write("a.jsonl", b"\n".join(lines)))
    turned, _ = loaded(write("b.jsonl", b"\r\n\n".join(reversed(lines)) + b"\n"))
    for name in ("users", "content", "shares", "replies", "mentions", "topics"):
        assert shelf.rows(name) == turned.rows(name)


def page(*posts: dict[str, Any], **more: Any) -> str:
    return json.dumps({"data": list(posts), **more}) + "\n"


def test_an_unknown_author_is_null_and_a_handle_stands_for_an_id(
    loaded: Load, write: Write
) -> None:
    post = {
        "id": "10",
        "text": "RT",
        "author_id": "1",
        "created_at": "2021-04-08T19:34:16.000Z",
        "referenced_tweets": [{"type": "quoted", "id": "9"}],
        "entities": {"mentions": [{"username": "Some_One", "start": 0, "end": 5}]},
    }
    shelf, _ = loaded(write("one.jsonl", page(post)))
    assert shelf.column("content", "content_id", "author_id") == {("x:10", "x:1"), ("x:9", None)}
    assert shelf.column("mentions", "user_id", "target_id") == {("x:1", "x:@some_one")}
    assert shelf.column("users", "user_id", "handle") == {
        ("x:1", None),
        ("x:@some_one", "Some_One"),
    }


def test_what_cannot_be_read_is_refused_with_its_line(loaded: Load, write: Write) -> None:
    good = {"id": "1", "text": "a", "author_id": "2", "created_at": "2021-04-08T19:34:16.000Z"}
    body = (
        page(good, {"id": "x y", "text": "b"}, {"id": "3", "text": "c", "created_at": "soon"})
        + "\nnot json\n"
        + json.dumps({"meta": {"result_count": 0}})
        + "\n[1]\n"
        + page({"id": "5", "text": "d", "referenced_tweets": [{"type": "retweeted", "id": "1"}]})
        + '{"data": [{"id": "6", "te'
    )
    shelf, report = loaded(write("mixed.jsonl", "\ufeff" + body))
    assert shelf.column("content", "content_id") == {("x:1",)}
    lines = shelf.column("rejects", "table", "line", "reason")
    assert lines == {
        ("content", 1, "bad_id"),
        ("content", 1, "time"),
        ("content", 3, "not_json"),
        ("content", 5, "not_an_item"),
        ("shares", 6, "no_id"),
        ("content", 7, "cut_off"),
    }
    raw = dict(zip(*(shelf.tables["rejects"][c].to_pylist() for c in ("line", "raw")), strict=True))
    assert raw[3] == "not json"
    assert raw[7] == '{"data": [{"id": "6", "te'
    assert sum(report.rejected.values()) == 6


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ((SAMPLES / "lists.jsonl").read_text(), "only lists"),
        (page({"start": "a", "end": "b", "tweet_count": 5}, meta={}), "only counts of posts"),
    ],
)
def test_lists_and_counts_are_declined_in_words(
    loaded: Load, write: Write, body: str, what: str
) -> None:
    with pytest.raises(InputError) as caught:
        loaded(write("other.jsonl", body))
    assert caught.value.found == what


# Every sample, against a reader of our own -------------------------------------------------

OWN = {"twitter.com", "mobile.twitter.com", "x.com", "pic.twitter.com", "t.co"}


def _posts(line: dict[str, Any]) -> Iterator[dict[str, Any]]:
    data = line.get("data", line if "author_id" in line else [])
    for item in data if isinstance(data, list) else [data]:
        if "text" in item:
            yield item
            if "author" in item:
                yield from (r for r in item.get("referenced_tweets", []) if "text" in r)
    yield from line.get("includes", {}).get("tweets", [])


def _expected(path: Path) -> dict[str, set[tuple[Any, ...]]]:
    """Read a file with json alone: the events, the posts with author, and the topics."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    posts = [post for line in lines for post in _posts(line)]
    first = {
        edit: post["edit_history_tweet_ids"][0]
        for post in posts
        for edit in post.get("edit_history_tweet_ids", [])
    }
    out: dict[str, set[tuple[Any, ...]]] = {
        n: set() for n in ("shares", "replies", "mentions", "content", "topics", "users")
    }
    made: dict[str, datetime] = {}
    for post in posts:
        post_id, when = first.get(post["id"], post["id"]), at(post["created_at"].rstrip("Z"))
        made[post_id] = min(made.get(post_id, when), when)
    named: set[str] = set()
    for post in posts:
        post_id = "x:" + first.get(post["id"], post["id"])
        user, when = "x:" + post["author_id"], made[post_id.removeprefix("x:")]
        out["users"].add((user,))
        refs = post.get("referenced_tweets", [])
        retweet = any(r["type"] == "retweeted" for r in refs)
        for ref in refs:
            target = "x:" + first.get(ref["id"], ref["id"])
            if retweet and ref["type"] != "retweeted":
                continue
            named.add(target)
            if ref["type"] == "replied_to":
                out["replies"].add((user, target, when, post_id))
            else:
                out["shares"].add((user, target, when, "share" if retweet else "quote"))
        if retweet:
            continue
        out["content"].add((post_id, user, when))
        entities = post.get("entities", {})
        for mention in entities.get("mentions", []):
            target = mention.get("id") or "@" + mention["username"].lower()
            out["mentions"].add((user, f"x:{target}", when, post_id))
        for tag in entities.get("hashtags", []):
            out["topics"].add((post_id, "hashtag", tag["tag"].lower()))
        for url in entities.get("urls", []):
            link = url.get("unwound_url") or url.get("expanded_url")
            host = (urlsplit(link).hostname or "").removeprefix("www.") if link else ""
            if host and host not in OWN:
                out["topics"] |= {(post_id, "url", link), (post_id, "domain", host)}
    known = {c[0] for c in out["content"]}
    out["content"] |= {(target, None, None) for target in named - known}
    for line in lines:
        data = line.get("data", [])
        people = line.get("includes", {}).get("users", []) + (
            [item for item in data if "username" in item] if isinstance(data, list) else []
        )
        out["users"] |= {("x:" + person["id"],) for person in people}
    return out


COLUMNS = {
    "shares": ("user_id", "content_id", "at", "kind"),
    "replies": ("user_id", "parent_content_id", "at", "content_id"),
    "mentions": ("user_id", "target_id", "at", "content_id"),
    "content": ("content_id", "author_id", "created_at"),
    "topics": ("content_id", "kind", "label"),
}
NAMES = [
    "2sets",
    "ObservatoryTeam",
    "brexit",
    "cashtags",
    "cotweet",
    "edited_after",
    "edited_before",
    "entities_test",
    "flat",
    "geo_tweets",
    "kpop",
    "many_urls",
    "media_tweet",
    "mentions_tweet",
    "noflat",
    "quoted_edit",
    "twarc-network-tweets",
    "two_tweets",
    "users",
    "verified_type",
    "withheld",
]


@pytest.mark.shared
@pytest.mark.parametrize("name", NAMES)
def test_every_sample_agrees_with_a_reader_of_our_own(
    shared: Path, loaded: Load, name: str
) -> None:
    path = shared / "exports" / "twitter-v2-twarc2" / f"{name}.jsonl"
    shelf, report = loaded(path)
    expected = _expected(path)
    assert report.rejected == {}
    for table, columns in COLUMNS.items():
        assert shelf.column(table, *columns) == expected[table], table
    _users_agree(shelf, expected["users"])


def _users_agree(shelf: Shelf, expected: set[tuple[Any, ...]]) -> None:
    """Everyone who is described or wrote is there; beyond them only those who were named."""
    found = shelf.column("users", "user_id")
    described = {u for (u, name) in shelf.column("users", "user_id", "handle") if name is not None}
    assert expected <= found
    assert {u for (u,) in found - expected} <= described


@pytest.mark.shared
def test_flattened_and_pages_tell_the_same(shared: Path, loaded: Load) -> None:
    folder = shared / "exports" / "twitter-v2-twarc2"
    flat, _ = loaded(folder / "flat.jsonl")
    pages, _ = loaded(folder / "noflat.jsonl")
    for table in ("shares", "replies", "topics"):
        assert flat.rows(table) == pages.rows(table)
    # Flattening looks mentioned people up; in pages of early 2021 only their handle stands.
    assert _named(flat) == _named(pages)
    both = flat.column("users", "user_id", "followers_count")
    assert both <= pages.column("users", "user_id", "followers_count")


def _named(shelf: Shelf) -> set[tuple[str, str, str]]:
    """Who named whom in which post, people by their handles."""
    handles = {u: f"x:@{h.lower()}" for u, h in shelf.column("users", "user_id", "handle") if h}
    return {
        (user, handles.get(target, target), post)
        for user, target, post in shelf.column("mentions", "user_id", "target_id", "content_id")
    }

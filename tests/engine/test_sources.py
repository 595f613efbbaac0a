"""What counts as a share of which source, rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.errors import UsageError
from engine.params import AnalysisParams, SourceKind
from engine.snapshot import Snapshot
from engine.sources import SourceEvents, all_events, events, kinds

Row = Sequence[object]


def at(minute: int | None) -> datetime | None:
    return None if minute is None else datetime(2021, 9, 1, 0, minute, tzinfo=UTC)


def table(names: str, rows: Sequence[Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(dict(zip(names.split(), map(list, columns), strict=True)))


def told(s: Snapshot, e: SourceEvents) -> list[tuple[str, str, str | None]]:
    """(source, user, content) of each event, in order."""
    content = [None if c < 0 else s.contents.content_id[c].as_py() for c in e.content.tolist()]
    sources = e.source_id.take(pa.array(e.source)).to_pylist()
    users = s.users.user_id.take(pa.array(e.user)).to_pylist()
    return list(zip(sources, users, content, strict=True))


def counts(e: SourceEvents, what: str) -> dict[str, int]:
    return dict(zip(e.source_id.to_pylist(), getattr(e, what).tolist(), strict=True))


def test_first_share_of_each_content_by_each_user() -> None:
    s = assemble(
        {
            "content": table(
                "content_id author_id", [("x:1", "x:a"), ("x:2", "x:a"), ("x:3", None)]
            ),
            "shares": table(
                "user_id content_id kind at",
                [
                    ("x:b", "x:1", "share", at(5)),
                    ("x:b", "x:1", "quote", at(2)),
                    ("x:b", "x:2", "share", at(1)),
                    ("x:c", "x:1", "share", None),
                    ("x:a", "x:1", "share", at(3)),
                    ("x:c", "x:2", "bookmark", at(4)),
                    ("x:c", "x:3", "share", at(4)),
                ],
            ),
        }
    )
    e = events(s, "user")
    # By time, an unknown one last; own shares, bookmarks and unknown authors do not count.
    assert told(s, e) == [("x:a", "x:b", "x:2"), ("x:a", "x:b", "x:1"), ("x:a", "x:c", "x:1")]
    assert counts(e, "repeats") == {"x:a": 1}
    assert counts(e, "n_posts") == {"x:a": 2}


def topics() -> dict[str, pa.Table]:
    return {
        "content": table(
            "content_id author_id created_at",
            [
                ("x:1", "x:a", at(1)),
                ("x:2", "x:a", at(2)),
                ("x:3", "x:b", at(3)),
                ("x:4", None, at(4)),
            ],
        ),
        "topics": table(
            "content_id kind label",
            [
                ("x:1", "domain", "acme.com"),
                ("x:2", "domain", "acme.com"),
                ("x:3", "domain", "acme.com"),
                ("x:3", "domain", "other.org"),
                ("x:4", "domain", "other.org"),
                ("x:3", "hashtag", "fun"),
            ],
        ),
        "shares": table(
            "user_id content_id at",
            [("x:c", "x:1", at(9)), ("x:a", "x:3", at(8)), ("x:c", "x:4", at(9))],
        ),
    }


def test_posts_and_shares_about_a_topic_count_each_user_once() -> None:
    s = assemble(topics())
    e = events(s, "domain")
    assert told(s, e) == [
        ("domain:acme.com", "x:a", "x:1"),
        ("domain:acme.com", "x:b", "x:3"),
        ("domain:acme.com", "x:c", "x:1"),
        ("domain:other.org", "x:b", "x:3"),
        ("domain:other.org", "x:a", "x:3"),
        ("domain:other.org", "x:c", "x:4"),
    ]
    assert counts(e, "repeats") == {"domain:acme.com": 2, "domain:other.org": 0}
    assert counts(e, "n_posts") == {"domain:acme.com": 3, "domain:other.org": 2}
    assert e.label.to_pylist() == ["acme.com", "other.org"]
    assert told(s, events(s, "hashtag")) == [
        ("hashtag:fun", "x:b", "x:3"),
        ("hashtag:fun", "x:a", "x:3"),
    ]


def branded() -> dict[str, pa.Table]:
    return topics() | {
        "brands": table("brand_id name", [("brand:acme", "Acme")]),
        "brand_members": table(
            "brand_id kind value",
            [("brand:acme", "domain", "acme.com"), ("brand:acme", "account", "x:a")],
        ),
    }


def test_a_brand_is_its_accounts_and_domains_and_never_shares_itself() -> None:
    s = assemble(branded())
    e = events(s, "brand")
    # c passed on a post of the account that names the domain: one share, not two.
    assert told(s, e) == [("brand:acme", "x:b", "x:3"), ("brand:acme", "x:c", "x:1")]
    assert e.label.to_pylist() == ["Acme"]
    assert counts(e, "n_posts") == {"brand:acme": 3}


def test_a_domain_of_a_brand_is_not_scored_again() -> None:
    s = assemble(branded())
    assert events(s, "domain").source_id.to_pylist() == ["domain:other.org"]
    assert kinds(s, AnalysisParams()) == ("user", "brand", "domain")


def test_mentions_of_a_brand_are_attention() -> None:
    tables = branded()
    tables["mentions"] = table("user_id target_id", [("x:z", "brand:acme"), ("x:z", "x:a")])
    s = assemble(tables)
    assert "x:z" not in [user for _, user, _ in told(s, events(s, "brand"))]


INTERACTIONS = [
    ("x:b", "x:a", "share", 3.0),
    ("x:c", "x:a", "quote", 1.0),
    ("x:c", "x:a", "share", 2.0),
    ("x:a", "x:a", "share", 1.0),
    ("x:d", "x:a", "mention", 1.0),
    ("x:e", "x:a", "reply", 1.0),
    ("x:f", "x:a", "unknown", 1.0),
    ("x:g", "x:a", "like", 1.0),
]


@pytest.mark.parametrize("kind", ["user", "brand"])
def test_pairwise_shares_count_distinct_users_and_nothing_else(kind: SourceKind) -> None:
    s = assemble(
        {
            "interactions": table("user_id target_id kind weight", INTERACTIONS),
            "brands": table("brand_id name", [("brand:a", "A")]),
            "brand_members": table("brand_id kind value", [("brand:a", "account", "x:a")]),
        }
    )
    e = events(s, kind)
    name = "x:a" if kind == "user" else "brand:a"
    assert told(s, e) == [(name, "x:b", None), (name, "x:c", None)]
    assert counts(e, "n_posts") == {name: -1}
    assert counts(e, "repeats") == {name: 1}


@pytest.mark.parametrize("kind", ["user", "brand"])
def test_pairwise_shares_count_interactions_where_asked(kind: SourceKind) -> None:
    s = assemble(
        {
            "interactions": table("user_id target_id kind weight", INTERACTIONS),
            "brands": table("brand_id name", [("brand:a", "A")]),
            "brand_members": table("brand_id kind value", [("brand:a", "account", "x:a")]),
        }
    )
    e = all_events(s, AnalysisParams(count="interactions"))[kind]
    name = "x:a" if kind == "user" else "brand:a"
    assert told(s, e) == [(name, "x:b", None)] * 3 + [(name, "x:c", None)] * 3
    assert counts(e, "repeats") == {name: 0}


def test_parts_of_an_interaction_are_rounded_and_never_nothing() -> None:
    rows = [("x:b", "x:a", "share", 0.2), ("x:c", "x:a", "share", 2.6), ("x:d", "x:a", "share", 0)]
    s = assemble({"interactions": table("user_id target_id kind weight", rows)})
    e = events(s, "user", count="interactions")
    assert [user for _, user, _ in told(s, e)] == ["x:b"] + ["x:c"] * 3 + ["x:d"]


@pytest.mark.parametrize("weight", [1e7 + 1, 1e300, float("inf")])
def test_more_interactions_than_fit_are_refused(weight: float) -> None:
    rows = [("x:b", "x:a", "share", weight), ("x:c", "x:a", "share", weight)]
    s = assemble({"interactions": table("user_id target_id kind weight", rows)})
    with pytest.raises(UsageError, match="more than 20,000,000"):
        events(s, "user", count="interactions")
    assert len(events(s, "user")) == 2


def test_contents_count_the_same_however_edges_count() -> None:
    s = assemble(branded())
    asked, usual = AnalysisParams(count="interactions"), AnalysisParams()
    for (kind, a), b in zip(
        all_events(s, asked).items(), all_events(s, usual).values(), strict=True
    ):
        assert (kind, told(s, a)) == (b.source_kind, told(s, b))
        assert counts(a, "repeats") == counts(b, "repeats")


def test_attention_alone_gives_no_source() -> None:
    s = assemble({"interactions": table("user_id target_id kind weight", INTERACTIONS[4:])})
    assert kinds(s, AnalysisParams()) == ()
    assert len(events(s, "user")) == 0


def test_row_order_and_doubled_rows_do_not_matter() -> None:
    plain, turned = branded(), {}
    for name, rows in branded().items():
        back = rows.take(list(range(rows.num_rows))[::-1])
        turned[name] = pa.concat_tables([back, rows]) if name == "shares" else back
    for kind in ("user", "brand", "domain", "hashtag"):
        a, b = assemble(plain), assemble(turned)
        assert told(a, events(a, kind)) == told(b, events(b, kind))


def test_windows_keep_the_numbers_of_sources() -> None:
    s = assemble(topics())
    e = events(s, "domain")
    moment = int(e.at.max())
    before, since = e.before(moment), e.since(moment)
    assert len(before) + len(since) == len(e)
    assert before.source_id.equals(e.source_id)
    assert since.at.min() >= moment > before.at.max()

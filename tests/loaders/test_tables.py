"""Tables of text: the German posts, CooRTweet, Higgs activity and edge lists."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from engine.errors import UsageError, WrongColumns
from tests.loaders.conftest import Load, Write

POSTS = """account_id,post_id,url_id,hashtag_id,domain_id,phash_id,timestamp
fb_1,10,5,,68,,1629589836
fb_1,10,,7,68,,1629589836
tw_1,11,,,,9,1629589837
tw_2,12,,,,,1629589838
tw_2,,,,,,1629589839
"""


def unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_german_posts(loaded: Load, write: Write) -> None:
    shelf, report = loaded(write("posts.csv", POSTS), brands="domains")
    assert report.format == "german-posts"
    assert shelf.column("users", "user_id", "platform") == {
        ("facebook:fb_1", "facebook"),
        ("x:tw_1", "x"),
        ("x:tw_2", "x"),
    }
    assert shelf.column("content", "content_id", "author_id", "created_at", "kind") == {
        ("facebook:post_10", "facebook:fb_1", unix(1629589836), "post"),
        ("x:post_11", "x:tw_1", unix(1629589837), "post"),
        ("x:post_12", "x:tw_2", unix(1629589838), "post"),
    }
    assert shelf.column("topics", "content_id", "kind", "label") == {
        ("facebook:post_10", "url", "5"),
        ("facebook:post_10", "hashtag", "7"),
        ("facebook:post_10", "domain", "68"),
        ("x:post_11", "image", "9"),
    }
    assert shelf.rows("brands") == [{"brand_id": "brand:68", "name": "domain 68 (anonymised)"}]
    assert shelf.rows("brand_members") == [
        {"brand_id": "brand:68", "kind": "domain", "value": "68"}
    ]
    assert shelf.column("rejects", "line", "reason", "raw") == {
        (6, "no_id", "tw_2,,,,,,1629589839")
    }


@pytest.mark.shared
def test_the_german_election(shared: Path, loaded: Load) -> None:
    path = shared / "coortweet" / "german_elections.csv.gz"
    shelf, report = loaded(path, brands="domains")
    with gzip.open(path, "rt") as file:
        rows = [r for r in csv.DictReader(file) if r["post_id"]]
    names = {"fb": "facebook", "tw": "x"}
    ids = [(f"{names[r['account_id'][:2]]}:post_{r['post_id']}", r) for r in rows]
    assert len(rows) == 218_968
    assert report.rejected == {"no_id": 3}, "218,971 rows, three of them without a post"
    assert (report.rows["content"], report.rows["users"]) == (194_323, 58_314)
    made = shelf.tables["content"]["created_at"].cast("int64").to_pylist()
    posts = shelf.tables["content"]["content_id"].to_pylist()
    assert dict(zip(posts, made, strict=True)) == {
        post: 1_000_000 * int(r["timestamp"]) for post, r in ids
    }
    kinds = {"url": "url_id", "hashtag": "hashtag_id", "domain": "domain_id", "image": "phash_id"}
    assert shelf.column("topics", "content_id", "kind", "label") == {
        (post, kind, r[column]) for post, r in ids for kind, column in kinds.items() if r[column]
    }
    assert {line for (line,) in shelf.column("rejects", "line")} == {41_002, 50_977, 72_320}


COOR = """object_id,account_id,content_id,timestamp_share
p1,a,p2,1623881091
p0,b,p1,1623881000
p1,c,p3,2021-06-16 22:05:00
"""


def test_coortweet_where_objects_are_posts(loaded: Load, write: Write) -> None:
    shelf, report = loaded(write("rt.csv", COOR), platform="x")
    assert shelf.column("shares", "user_id", "content_id", "at", "kind") == {
        ("x:a", "x:p1", unix(1623881091), "share"),
        ("x:b", "x:p0", unix(1623881000), "share"),
        ("x:c", "x:p1", datetime(2021, 6, 16, 22, 5, tzinfo=UTC), "share"),
    }
    assert shelf.column("content", "content_id", "author_id", "created_at") == {
        ("x:p0", None, None),
        ("x:p1", "x:b", unix(1623881000)),
    }
    assert shelf.column("users", "user_id") == {("x:a",), ("x:b",), ("x:c",)}
    assert report.notes[0].startswith("objects were read as posts: 2 of 3 rows")


def test_coortweet_where_objects_are_topics(loaded: Load, write: Write) -> None:
    body = COOR.replace("p1,a", "https://a.de/1,a").replace("p0,b", "https://a.de/1,b")
    shelf, _ = loaded(write("urls.csv", body.replace("p1,c", "https://b.de,c")), platform="x")
    assert shelf.column("topics", "content_id", "kind", "label") == {
        ("x:p2", "url", "https://a.de/1"),
        ("x:p1", "url", "https://a.de/1"),
        ("x:p3", "url", "https://b.de"),
    }
    assert shelf.column("content", "content_id", "author_id") == {
        ("x:p2", "x:a"),
        ("x:p1", "x:b"),
        ("x:p3", "x:c"),
    }
    assert shelf.rows("shares") == []


def test_coortweet_asks_what_objects_are(loaded: Load, write: Write) -> None:
    path = write("h.csv", COOR.replace("p1,a", "q7,a").replace("p1,c", "q7,c"))
    with pytest.raises(UsageError) as caught:
        loaded(path)
    assert "--objects content, hashtag, url, domain or image" in caught.value.todo
    shelf, _ = loaded(path, objects="image", platform="x")
    assert ("x:p2", "image", "q7") in shelf.column("topics", "content_id", "kind", "label")


@pytest.mark.shared
def test_the_russian_set(shared: Path, loaded: Load) -> None:
    path = shared / "coortweet" / "russian_coord_tweets.csv.gz"
    shelf, report = loaded(path)
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    assert (len(rows), report.rows["users"], report.rejected) == (35_125, 9_509, {})
    shares = shelf.tables["shares"]
    ends = (shares[c].to_pylist() for c in ("user_id", "content_id"))
    at = shares["at"].cast("int64").to_pylist()
    dataset = "x-russian-coord-tweets"
    assert sorted(zip(*ends, at, strict=True)) == sorted(
        (f"{dataset}:{r['account_id']}", f"{dataset}:{r['object_id']}", 1_000_000 * int(t))
        for r in rows
        if (t := r["timestamp_share"])
    )


def test_higgs_activity(loaded: Load, write: Write) -> None:
    body = (
        "# a b t kind\n1 2 1341100972 RT\n1 3 1341100972 MT\n2 1 1341100980 RE\n1 2 1341100999 XX\n"
    )
    shelf, report = loaded(write("activity.txt", body + "4 5 1341100972 RT\n" * 9))
    assert report.format == "higgs"
    assert shelf.column("interactions", "user_id", "target_id", "kind", "at", "weight") == {
        ("x-higgs:1", "x-higgs:2", "share", unix(1341100972), 1.0),
        ("x-higgs:1", "x-higgs:3", "mention", unix(1341100972), 1.0),
        ("x-higgs:2", "x-higgs:1", "reply", unix(1341100980), 1.0),
        ("x-higgs:4", "x-higgs:5", "share", unix(1341100972), 1.0),
    }
    assert shelf.column("rejects", "line", "reason", "sentence") == {
        (5, "kind", "the kind is none of the known ones: XX")
    }


@pytest.mark.shared
def test_the_whole_higgs_activity(shared: Path, loaded: Load) -> None:
    path = shared / "higgs-twitter" / "higgs-activity_time.txt.gz"
    shelf, report = loaded(path)
    kinds = shelf.tables["interactions"]["kind"].value_counts().to_pylist()
    assert {k["values"]: k["counts"] for k in kinds} == {
        "share": 354_930,
        "mention": 171_237,
        "reply": 36_902,
    }
    assert (report.rows, report.rejected) == ({"interactions": 563_069, "users": 304_691}, {})
    layout = pyarrow.csv.ParseOptions(delimiter=" ")
    names = pyarrow.csv.ReadOptions(column_names=["user_id", "target_id", "at", "kind"])
    short = pa.array(["share", "mention", "reply"])
    file = pyarrow.csv.read_csv(path, names, layout)
    expected = pa.table(
        {
            "user_id": file["user_id"].cast("string"),
            "target_id": file["target_id"].cast("string"),
            "at": file["at"],
            "kind": short.take(pc.index_in(file["kind"], pa.array(["RT", "MT", "RE"]))),
        }
    )
    table = shelf.tables["interactions"]
    found = pa.table(
        {
            "user_id": pc.utf8_slice_codeunits(table["user_id"], len("x-higgs:")),
            "target_id": pc.utf8_slice_codeunits(table["target_id"], len("x-higgs:")),
            "at": pc.divide(table["at"].cast("int64"), 1_000_000),
            "kind": table["kind"],
        }
    )
    order = [(name, "ascending") for name in found.column_names]
    assert found.sort_by(order).equals(expected.sort_by(order))


EDGES = '"from","to","weight"\n"Ann","Bob",2\n"Bob","Cy",1\n"Ann","Bob",3\n'


@pytest.mark.parametrize(
    ("direction", "pairs"),
    [
        ("A engages B", {("x-e:Ann", "x-e:Bob", 5.0), ("x-e:Bob", "x-e:Cy", 1.0)}),
        ("forward", {("x-e:Ann", "x-e:Bob", 5.0), ("x-e:Bob", "x-e:Cy", 1.0)}),
        ("B engages A", {("x-e:Bob", "x-e:Ann", 5.0), ("x-e:Cy", "x-e:Bob", 1.0)}),
        ("reversed", {("x-e:Bob", "x-e:Ann", 5.0), ("x-e:Cy", "x-e:Bob", 1.0)}),
        ("from engages to", {("x-e:Ann", "x-e:Bob", 5.0), ("x-e:Bob", "x-e:Cy", 1.0)}),
        ("From  replied to TO", {("x-e:Ann", "x-e:Bob", 5.0), ("x-e:Bob", "x-e:Cy", 1.0)}),
        ("to engages from", {("x-e:Bob", "x-e:Ann", 5.0), ("x-e:Cy", "x-e:Bob", 1.0)}),
    ],
)
def test_edges_go_the_way_they_are_said_to(
    loaded: Load, write: Write, direction: str, pairs: set[tuple[str, str, float]]
) -> None:
    shelf, report = loaded(write("e.csv", EDGES), kind="share", direction=direction)
    assert shelf.column("interactions", "user_id", "target_id", "weight") == pairs
    assert shelf.column("interactions", "kind", "at") == {("share", None)}
    assert shelf.column("users", "user_id") == {("x-e:Ann",), ("x-e:Bob",), ("x-e:Cy",)}
    assert report.notes == ("1 rows repeat a pair of people; their weights were added up",)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, 'is it "Ann shared from Bob"?'),
        ({"kind": "mention"}, 'is it "Ann mentioned Bob"?'),
        ({"direction": "reversed"}, 'is it "Bob shared from Ann"?'),
        (
            {"kind": "reply", "source_column": "to", "target_column": "from"},
            '"Bob replied to Ann"?',
        ),
    ],
)
def test_direction_and_kind_are_asked_for_with_an_example(
    loaded: Load, write: Write, given: dict[str, str], found: str
) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(write("e.csv", EDGES), **given)
    assert found in caught.value.found


def test_the_question_names_the_flags_and_the_columns(loaded: Load, write: Write) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(write("e.csv", EDGES))
    assert (caught.value.wanted, caught.value.found, caught.value.todo) == (
        "the kind and the direction of the edges in e.csv",
        'the file does not say: is it "Ann shared from Bob"?',
        (
            "give --kind unknown, share, quote, like, reply, mention or follow; "
            '--direction "from engages to" if so, --direction "to engages from" if the other '
            "way round"
        ),
    )


@pytest.mark.parametrize(
    ("header", "direction", "found"),
    [
        ("from,to", "from is engaged by to", "it does not say which column acts"),
        ("from,to", "from to", "it does not say which column acts"),
        ("from,to", "sideways", "it does not say which column acts"),
        ("b,a", "A engages B", "it can be read both ways"),
    ],
)
def test_a_direction_that_does_not_say_who_acts_is_refused(
    loaded: Load, write: Write, header: str, direction: str, found: str
) -> None:
    first, last = header.split(",")
    with pytest.raises(UsageError) as caught:
        loaded(
            write("e.csv", f"{header}\nAnn,Bob\n"),
            kind="share",
            direction=direction,
            source_column=first,
            target_column=last,
            header="yes",
        )
    quoted = f'"{direction}"' if " " in direction else direction
    assert (caught.value.wanted, caught.value.found, caught.value.todo) == (
        f"--direction {quoted}",
        found,
        (
            f'use --direction "{first} engages {last}", --direction "{last} engages {first}", '
            "forward or reversed"
        ),
    )


def test_real_lists_come_reversed_and_without_header(loaded: Load, write: Write) -> None:
    shelf, _ = loaded(
        write("r.csv", "dstAccount,srcAccount\nann,bob\n"), kind="share", direction="forward"
    )
    assert shelf.column("interactions", "user_id", "target_id") == {("x-r:bob", "x-r:ann")}
    body = "# Nodes: 3\n# FromNodeId\tToNodeId\n1\t2\n3\t2\n"
    shelf, _ = loaded(write("s.txt", body), kind="follow", direction="forward")
    assert shelf.column("follows", "follower_id", "followee_id") == {
        ("x-s:1", "x-s:2"),
        ("x-s:3", "x-s:2"),
    }
    assert shelf.rows("interactions") == []


def test_names_on_x_are_handles_and_times_make_events(loaded: Load, write: Write) -> None:
    body = (
        "source;target;time\nAnn_1;@BOB;1630000000\nAnn_1;@BOB;1630000001\nAnn_1;;5\nAnn_1;c;soon\n"
    )
    shelf, report = loaded(write("t.csv", body), kind="like", direction="forward", platform="x")
    assert shelf.column("interactions", "user_id", "target_id", "at") == {
        ("x:@ann_1", "x:@bob", unix(1630000000)),
        ("x:@ann_1", "x:@bob", unix(1630000001)),
    }
    assert shelf.column("users", "user_id", "handle") == {
        ("x:@ann_1", "Ann_1"),
        ("x:@bob", "BOB"),
    }
    assert report.rejected == {"no_id": 1, "time": 1}


def test_a_weight_is_a_positive_number(loaded: Load, write: Write) -> None:
    body = "source,target,weight\na,b,0\na,b,-1\na,b,many\na,b,inf\na,b,2.5\n"
    shelf, report = loaded(write("w.csv", body), kind="unknown", direction="forward")
    assert shelf.column("interactions", "weight") == {(2.5,)}
    assert report.rejected == {"number": 4}


def test_a_column_that_is_not_there(loaded: Load, write: Write) -> None:
    with pytest.raises(WrongColumns) as caught:
        loaded(write("e.csv", EDGES), kind="share", direction="forward", weight_column="n")
    assert caught.value.found == "the columns are from, to, weight"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "users", "edges"), [("mp", 585, 26_833), ("ontariopol", 108, 6_095)]
)
def test_parliaments(shared: Path, loaded: Load, name: str, users: int, edges: int) -> None:
    path = shared / "politicians-ona" / f"{name}_edgelist.csv"
    shelf, report = loaded(path, kind="unknown", direction="A engages B", platform="uk")
    assert report.rows == {"users": users, "interactions": edges}
    with path.open() as file:
        expected = {
            (f"uk:{r['from']}", f"uk:{r['to']}", float(r["weight"])) for r in csv.DictReader(file)
        }
    assert shelf.column("interactions", "user_id", "target_id", "weight") == expected

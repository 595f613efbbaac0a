"""The canonical folder: every table and column, in three kinds of file, ids and refusals."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import MangledIds, UsageError, WrongColumns
from engine.model import (
    CANONICAL,
    COUNT,
    INTERACTION_KINDS,
    MEMBER_KINDS,
    REACTION_KINDS,
    SHARE_KINDS,
    TEXT,
    TIME,
    TOPIC_KINDS,
    Column,
    Table,
)
from tests.loaders.conftest import Load, Shelf, write_tables

KINDS = {
    "shares": SHARE_KINDS,
    "interactions": INTERACTION_KINDS,
    "reactions": REACTION_KINDS,
    "brand_members": MEMBER_KINDS,
    "topics": TOPIC_KINDS,
}
WORD = st.text("abcdefghijklmnopqrstuvwxyzäß0123456789_-,;\"'😀", min_size=1, max_size=12).filter(
    lambda w: w.strip(" \"'") == w
)
ID = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=8)


def _cell(table: Table, c: Column) -> st.SearchStrategy[Any]:
    if c.within is not None:
        return st.floats(*c.within)
    if c.name == "kind" and table.name in KINDS:
        return st.sampled_from(KINDS[table.name])
    if c.name == "brand_id":
        return ID.map("brand:{}".format)
    if c.name.endswith("_id") or (table.name == "brand_members" and c.name == "value"):
        return ID.map("x:{}".format)
    if c.name == "platform":
        return st.just("x")
    if c.name == "label":
        return st.text("abcdef0123456789", min_size=1, max_size=8)
    if c.type == TIME:
        return st.integers(10**15, 7 * 10**15).map(
            lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
        )
    if c.type == COUNT:
        return st.integers(0, 10**15)
    if c.type == pa.float64():
        return st.floats(0.001, 1e6)
    if c.type == pa.bool_():
        return st.booleans()
    if c.type == TEXT:
        return WORD
    return st.lists(st.text("abcde ß", min_size=1, max_size=6).map(lambda w: f"w{w}w"), min_size=1)


@st.composite
def _tables(draw: st.DrawFn) -> dict[str, pa.Table]:
    names = draw(st.lists(st.sampled_from(list(CANONICAL)), min_size=1, max_size=4, unique=True))
    tables = {}
    for name in names:
        table = CANONICAL[name]
        rows = []
        for _ in range(draw(st.integers(1, 4))):
            row = {
                c.name: draw(_cell(table, c) if c.required else st.none() | _cell(table, c))
                for c in table.columns
            }
            if name == "shares":
                row["kind"] = row["kind"] or "share"
            if name == "impressions" and row["user_id"] is None:
                row["community"] = row["community"] or "some"
            if name in {"users", "content"}:
                row["platform"] = "x"
            rows.append(row)
        unique = {row[table.key[0]]: row for row in rows} if table.merges else dict(enumerate(rows))
        tables[name] = pa.Table.from_pylist(list(unique.values()), table.schema)
    return tables


def _write(folder: Path, ending: str, tables: dict[str, pa.Table]) -> Path:
    folder.mkdir()
    for name, table in tables.items():
        path = folder / f"{name}{ending}"
        if ending == ".parquet":
            pq.write_table(table, path)
        elif ending == ".jsonl":
            lines = [json.dumps(row, default=datetime.isoformat) for row in table.to_pylist()]
            path.write_text("\n".join(lines) + "\n", "utf-8")
        else:
            flat = [
                {k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()}
                for row in table.to_pylist()
            ]
            types = [(f.name, TEXT if pa.types.is_list(f.type) else f.type) for f in table.schema]
            written = pa.Table.from_pylist(flat, pa.schema(types))
            with gzip.open(path, "wb") as file:
                pyarrow.csv.write_csv(written, file)
    return folder


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables=_tables())
def test_tables_come_back_the_same_from_every_kind_of_file(
    tables: dict[str, pa.Table], loaded: Load, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("round")
    expected = Shelf(home, dict(tables))
    for ending in (".csv.gz", ".jsonl", ".parquet"):
        shelf, report = loaded(_write(home / ending.strip("."), ending, tables))
        assert report.rejected == {}
        for name in tables:
            assert shelf.rows(name) == expected.rows(name), ending


def test_ids_get_the_platform_they_belong_to(loaded: Load, tmp_path: Path) -> None:
    folder = write_tables(
        tmp_path / "My Set",
        {
            "users.csv": "user_id,platform,handle\n1,facebook,Ann\n2,twitter,bob\nx:3,,Cy\n4,,\n",
            "content.csv": "content_id,platform,author_id\np1,facebook,1\np2,,2\n",
            "shares.csv": "user_id,content_id\n2,p1\n4,p2\nbluesky:did:plc:a,did:plc:b\n",
            "mentions.csv": "user_id,target_id,platform\n1,@Ann,facebook\nx:2,x:@BOB,\n",
            "brands.csv": "brand_id,name\nacme,Acme\n",
            "brand_members.csv": (
                "brand_id,kind,value\nacme,account,1\nbrand:acme,domain,WWW.Acme.com\n"
                "acme,alias,x:@Acme\n"
            ),
        },
    )
    shelf, _ = loaded(folder)
    assert shelf.column("users", "user_id", "platform") == {
        ("facebook:1", "facebook"),
        ("x:2", "x"),
        ("x:3", "x"),
        ("x-my-set:4", "x-my-set"),
    }
    assert shelf.column("content", "content_id", "author_id") == {
        ("facebook:p1", "facebook:1"),
        ("x-my-set:p2", "x:2"),
    }
    assert shelf.column("shares", "user_id", "content_id", "kind") == {
        ("x:2", "facebook:p1", "share"),
        ("x-my-set:4", "x-my-set:p2", "share"),
        ("bluesky:did:plc:a", "x-my-set:did:plc:b", "share"),
    }
    assert shelf.column("mentions", "user_id", "target_id") == {
        ("facebook:1", "facebook:@ann"),
        ("x:2", "x:@bob"),
    }
    assert shelf.column("brand_members", "brand_id", "kind", "value") == {
        ("brand:acme", "account", "facebook:1"),
        ("brand:acme", "domain", "acme.com"),
        ("brand:acme", "alias", "x:@acme"),
    }


def test_the_data_set_is_named_by_source_toml(loaded: Load, tmp_path: Path) -> None:
    folder = write_tables(
        tmp_path / "somewhere",
        {
            "follows.csv": "follower_id;followee_id;note\na;b;x\n",
            "source.toml": 'title = "A made set"\ndataset = "Toy"\nmade = true\n',
        },
    )
    shelf, report = loaded(folder)
    assert shelf.column("follows", "follower_id", "followee_id") == {("x-toy:a", "x-toy:b")}
    assert report.options["source"] == {"title": "A made set", "dataset": "Toy", "made": True}
    assert report.notes == ("follows.csv: columns not read: note",)


def test_refused_rows_are_kept_with_line_reason_and_text(loaded: Load, tmp_path: Path) -> None:
    body = (
        "user_id,content_id,at,kind\r\n"
        "1,p1,2021-01-01T00:00:00Z,share\r\n"
        "\r\n"
        '"2","p\r\n2",2021-01-01T00:00:00Z,share\r\n'
        "3,p1,whenever,share\r\n"
        ",p1,,\r\n"
        "4,p1,,retweet\r\n"
        "5,p1\r\n"
        "6,p1,1630000000,quote,more\r\n"
        "7,p1,,QUOTE\r\n"
        '8,"p1'
    )
    folder = write_tables(tmp_path / "d", {})
    (folder / "shares.csv").write_bytes(b"\xef\xbb\xbf" + body.encode())
    shelf, report = loaded(folder, platform="x")
    assert shelf.column("shares", "user_id", "kind") == {("x:1", "share"), ("x:7", "quote")}
    rejects = shelf.tables["rejects"].select(["line", "reason", "sentence", "raw"]).to_pylist()
    assert [tuple(r.values()) for r in rejects] == [
        (4, "bad_id", "an id holds characters that no id has, or is far too long: p·2", REFUSED),
        (6, "time", "the time cannot be read: whenever", "3,p1,whenever,share"),
        (7, "no_id", "an id that the row needs is empty", ",p1,,"),
        (8, "kind", "the kind is none of the known ones: retweet", "4,p1,,retweet"),
        (9, "columns", "the row has another number of cells than the header", "5,p1"),
        (
            10,
            "columns",
            "the row has another number of cells than the header",
            "6,p1,1630000000,quote,more",
        ),
        (12, "quotes", "a quotation mark is opened and not closed", '8,"p1'),
    ]
    assert report.rejected == {
        "bad_id": 1, "time": 1, "no_id": 1, "kind": 1, "columns": 2, "quotes": 1,
    }  # fmt: skip


REFUSED = '"2","p\n2",2021-01-01T00:00:00Z,share'


def test_refused_rows_of_parquet_have_their_row(loaded: Load, tmp_path: Path) -> None:
    rows = {"follower_id": ["a", None, "c"], "followee_id": ["b", "b", "b"]}
    folder = write_tables(tmp_path / "d", {})
    pq.write_table(pa.table(rows), folder / "follows.parquet")
    shelf, _ = loaded(folder)
    assert shelf.column("rejects", "line", "reason") == {(2, "no_id")}
    assert json.loads(shelf.tables["rejects"]["raw"][0].as_py())["followee_id"] == "b"


def test_cells_are_read_as_tables_write_them(loaded: Load, tmp_path: Path) -> None:
    folder = write_tables(
        tmp_path / "d",
        {
            "users.csv": (
                "user_id,followers_count,posts_count,is_bot,labels\n"
                '1,"1,234,567",12.0,Yes,a; b;\n2,7,,0,"[""c;d""]"\n3,-4,,,\n4,,,maybe,\n'
            ),
            "reactions.csv": (
                "user_id,content_id,kind,score\n1,p,LIKE,\n1,p,love,\n1,p,review,4.5\n"
            ),
            "impressions.csv": "content_id,count,community\np,12,left\np,3,\n",
            "topics.csv": "content_id,kind,label\np,hashtag,#Berlin\np,domain,www.Zeit.de\n",
        },
    )
    shelf, report = loaded(folder, platform="x")
    assert [{**r} for r in shelf.rows("users")] == [
        {
            "user_id": "x:1",
            "platform": "x",
            "followers_count": 1_234_567,
            "posts_count": 12,
            "is_bot": True,
            "labels": ["a", "b"],
        },
        {
            "user_id": "x:2",
            "platform": "x",
            "followers_count": 7,
            "is_bot": False,
            "labels": ["c;d"],
        },
    ]
    assert shelf.column("reactions", "kind", "score") == {
        ("like", None),
        ("other", None),
        ("review", 4.5),
    }
    assert shelf.column("topics", "kind", "label") == {("hashtag", "berlin"), ("domain", "zeit.de")}
    assert report.rejected == {"number": 1, "yes_no": 1, "nobody": 1}


def test_what_somebody_judged_lies_within_its_range(loaded: Load, tmp_path: Path) -> None:
    body = (
        "content_id,kind,stance,emotion,is_promotion\n"
        "a,Post,-1,0,yes\nb,poem,1.0,1,no\nc,,-0.5,,\nd,,1.01,,\ne,,,-0.1,\nf,,nan,,\ng,,,,often\n"
    )
    folder = write_tables(tmp_path / "d", {"content.csv": body})
    shelf, report = loaded(folder, platform="x")
    columns = ("content_id", "kind", "stance", "emotion", "is_promotion")
    assert shelf.column("content", *columns) == {
        ("x:a", "post", -1.0, 0.0, True),
        ("x:b", "poem", 1.0, 1.0, False),
        ("x:c", None, -0.5, None, None),
    }
    rejects = shelf.tables["rejects"].select(["line", "reason", "sentence"]).to_pylist()
    outside = "the number is less or more than its column may hold"
    assert [tuple(r.values()) for r in rejects] == [
        (5, "range", f"{outside}: 1.01"),
        (6, "range", f"{outside}: -0.1"),
        (7, "number", "the number cannot be read, or is below zero: nan"),
        (8, "yes_no", "the value is neither yes nor no: often"),
    ]
    assert report.rejected == {"range": 2, "number": 1, "yes_no": 1}


def test_clicks_and_conversions_are_reactions(loaded: Load, tmp_path: Path) -> None:
    body = "user_id,content_id,kind\n1,p,click\n1,p,Conversion\n1,p,wave\n"
    shelf, _ = loaded(write_tables(tmp_path / "d", {"reactions.csv": body}), platform="x")
    assert shelf.column("reactions", "kind") == {("click",), ("conversion",), ("other",)}


@pytest.mark.parametrize("mangled", ["5.70306E+17", "5,70306E+17", "1234567.0", "5.7e+17"])
def test_ids_a_spreadsheet_rounded_are_refused_whole(
    loaded: Load, tmp_path: Path, mangled: str
) -> None:
    folder = write_tables(
        tmp_path / "d", {"follows.csv": f'follower_id,followee_id\n"{mangled}",1\n2,3\n'}
    )
    with pytest.raises(MangledIds) as caught:
        loaded(folder)
    assert mangled in caught.value.found
    assert "nothing was loaded" in caught.value.todo


def test_long_ids_that_all_end_in_zeros_were_rounded(loaded: Load, tmp_path: Path) -> None:
    ids = [f"{100_000_000_000_000 + n * 7}000" for n in range(6)]
    rows = "".join(f"{i},b\n" for i in ids)
    folder = write_tables(tmp_path / "d", {"follows.csv": f"follower_id,followee_id\n{rows}"})
    with pytest.raises(MangledIds):
        loaded(folder)
    folder = write_tables(
        tmp_path / "e", {"follows.csv": f"follower_id,followee_id\n{rows}{ids[0][:-1]}5,b\n"}
    )
    assert loaded(folder)[1].rows == {"follows": 7}


def test_hashes_of_digits_and_an_e_are_ids(loaded: Load, tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "d", {"follows.csv": "follower_id,followee_id\n12e4567,3E5\n"})
    assert loaded(folder)[1].rows == {"follows": 1}


def test_a_missing_column_names_those_that_exist(loaded: Load, tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "d", {"shares.csv": "user_id,content,when\n1,2,3\n"})
    with pytest.raises(WrongColumns) as caught:
        loaded(folder)
    assert caught.value.found == "without content_id; its columns are user_id, content, when"
    assert "is content the content_id?" in caught.value.todo


def test_a_table_that_is_there_twice_is_refused(loaded: Load, tmp_path: Path) -> None:
    body = "user_id,name\n1,a\n"
    folder = write_tables(tmp_path / "d", {"users.csv": body, "users.tsv": body})
    with pytest.raises(UsageError):
        loaded(folder)


def test_a_table_of_one_column_and_a_file_alone(loaded: Load, tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "d", {"users.csv": "user_id\nx:1\nx:2\n"})
    shelf, _ = loaded(folder)
    assert shelf.column("users", "user_id") == {("x:1",), ("x:2",)}
    folder = write_tables(tmp_path / "e", {"users.csv": "user_id,name\nx:1,A\n"})
    shelf, report = loaded(folder / "users.csv")
    assert (report.format, shelf.column("users", "user_id", "name")) == (
        "canonical",
        {("x:1", "A")},
    )


def test_of_a_user_seen_twice_the_newer_counts(loaded: Load, tmp_path: Path) -> None:
    rows = ["1,old,10,2021-01-01T00:00:00Z\n", "1,new,,2021-02-01T00:00:00Z\n"]
    for order in (rows, rows[::-1]):
        name = f"d{order is rows}"
        text = "user_id,name,followers_count,seen_at\n" + "".join(order)
        shelf, _ = loaded(write_tables(tmp_path / name, {"users.csv": text}), platform="x")
        assert shelf.column("users", "user_id", "name", "followers_count") == {("x:1", "new", 10)}

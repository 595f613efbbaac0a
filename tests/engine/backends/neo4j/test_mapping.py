"""What somebody types about their graph: read back as it was said, or refused where it stops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cypher import quoted
from cypher.path import Element, Hop, Path, PathError, Property, Word, parse_path
from engine.backends.neo4j.adopted_values import columns
from engine.backends.neo4j.adoption import Adoption, Understood
from engine.backends.neo4j.mapping import ROLES, Key, part, parts
from engine.errors import StoreDamaged, UsageError

LETTERS = st.sampled_from("aZé_9 `\\'\"-:{}[]()|<>\n$")
NAMES = st.text(LETTERS, min_size=1, max_size=6)
VALUES = st.one_of(st.builds(Property, NAMES), st.builds(Word, st.text(LETTERS, max_size=6)))
ELEMENTS = st.builds(
    Element,
    st.lists(NAMES, max_size=2).map(tuple),
    st.lists(st.tuples(NAMES, VALUES), max_size=2).map(tuple),
)
HOPS = st.builds(Hop, ELEMENTS, st.sampled_from(["->", "<-", "--"]), ELEMENTS)
PATHS = st.builds(Path, ELEMENTS, st.lists(HOPS, max_size=3).map(tuple))


@given(PATHS)
def test_a_path_is_read_back_as_it_is_written(path: Path) -> None:
    assert parse_path(str(path)) == path


@given(PATHS, st.integers(min_value=0))
def test_a_path_that_is_cut_off_is_refused_where_it_ends(path: Path, cut: int) -> None:
    text = str(path)
    end = str(Path(path.first))
    part_of = text[: cut % len(end)]
    with pytest.raises(PathError) as refused:
        parse_path(part_of)
    assert refused.value.at <= len(part_of)


@given(st.text(min_size=1, max_size=8))
def test_a_quoted_name_ends_where_it_should(name: str) -> None:
    """Read as Neo4j does: first \\uXXXX, then doubled backticks; nothing is left over."""
    inner = quoted(name)[1:-1]
    decoded = inner.replace(r"\u005c", "\\")
    assert r"\u" not in inner.replace(r"\u005c", "")
    assert "`" not in decoded.replace("``", "")
    assert decoded.replace("``", "`") == name


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("", 0, "'('"),
        ("(Person)", 7, "':'"),
        ("(:Person", 8, "')'"),
        ("(:Person)-[:A]>(:B)", 14, "'->' or '-'"),
        ("(:Person)<-[:A]->(:B)", 15, "'-'"),
        ("(:Person {name})", 14, "':'"),
        ("(:Person {at: 5})", 14, "the property that holds at, or a word in quotes"),
        ("(:`Person)", 2, "a label"),
        ("(:A)-[:]->(:B)", 7, "a type"),
        ("(:A) MATCH (b)", 5, "'-' or '<-'"),
    ],
)
def test_where_a_text_stops_being_a_path(text: str, at: int, expected: str) -> None:
    with pytest.raises(PathError) as refused:
        parse_path(text)
    assert (refused.value.at, refused.value.expected) == (at, expected)


@pytest.mark.parametrize(
    ("option", "text", "found"),
    [
        ("users", "(:A)-[:B]->(:C)", "it is a path"),
        ("follows", "(:A)", "it is one node"),
        ("follows", "()-[:B]->(:C)", "an end has no label"),
        ("follows", "(:A)-->(:C)", "a relationship has no type"),
        ("follows", "(:A)-[:B {kind: k}]->(:C)", "there is no column 'kind'"),
        ("shares", "(:A)-[:B {at: x}]->(:C {at: y})", "'at' is said twice"),
        ("shares", "(:A)-[:B {kind: 'retweet'}]->(:C)", "there is no kind 'retweet'"),
        ("users", "(:A {user_id: 'ann'})", "user_id is a word"),
        ("users", "(:A {user_id})", "it is no path: at character 13, '})': expected ':'"),
    ],
)
def test_what_a_path_cannot_say(option: str, text: str, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        parts({option: [text]})
    assert refused.value.found == found
    assert refused.value.wanted == f"--{option} '{parts_text(text)}'"


def parts_text(text: str) -> str:
    """Return a path as errors show it: as it was typed where it cannot be read."""
    try:
        return str(parse_path(text))
    except PathError:
        return text


def test_where_each_column_comes_from() -> None:
    one = part(
        "replies",
        "(:A {user_id: u})-[:P]->(:T {content_id: i, at: w})-[:R]->(:T {content_id: i})",
    )
    assert [(s.column, s.place, str(s.value)) for s in one.sources] == [
        ("user_id", 0, "u"),
        ("parent_content_id", 2, "i"),
        ("content_id", 1, "i"),
        ("at", 1, "w"),
    ]


@pytest.mark.parametrize("name", ROLES)
def test_every_option_fills_columns_that_its_table_has(name: str) -> None:
    ends = ROLES[name].ends
    keys = {"user": "user_id", "content": "content_id", "brand": "brand_id", "topic": "label"}
    nodes = [f"(:L{i} {{{keys[space]}: k}})" for i, (_, space) in enumerate(ends)]
    one = part(name, "-[:T]->".join(nodes))
    assert [c.name for c in columns(one) if c.needed] == [column for column, _ in ends]
    assert [one.key(end) for end in range(len(ends))] == [
        Key((f"L{i}",), "k") for i in range(len(ends))
    ]


def test_a_mapping_is_kept_and_read_back() -> None:
    kept = Adoption(
        parts({"shares": ["(:`A b` {user_id: `x``y`})<-[:T|U {at: w}]-(:C {content_id: n})"]}),
        "x",
        "bolt://h:1",
        "people",
        frozenset({Key(("C",), "n")}),
        (Understood("shares", "p", "shares", 3, "says", 1, (("at", 2, "odd"),), ("note",)),),
    )
    assert Adoption.from_json(kept.to_json()) == kept
    assert kept.keys("user") == (Key(("A b",), "x`y"),)
    assert kept.names.key("User", "x:7") == "7"
    for text in ("", "{}", "[]", '{"parts": [["nobody", "()"]]}'):
        with pytest.raises(StoreDamaged):
            Adoption.from_json(text)

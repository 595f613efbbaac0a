"""The rights that docs/privileges.cypher grants: tried where Community has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from neo4j import exceptions

from engine.backends.neo4j.doctor import examine
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.lock import writer_lock
from engine.backends.neo4j.manifest import Manifest
from engine.backends.neo4j.migrations import make
from engine.progress import silent
from engine.server import Server
from tests.servers.server import Neo4jServer

SCRIPT = Path(__file__).resolve().parents[4] / "docs" / "privileges.cypher"
NAME, FIRST = "kindred", "change-this"
ONLY_ENTERPRISE = "Neo.ClientError.Statement.UnsupportedAdministrationCommand"


def statements() -> list[str]:
    text = re.sub(r"^//.*$", "", SCRIPT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [one.strip() for one in text.split(";") if one.strip()]


@pytest.fixture
def outcomes(neo4j_empty: Neo4jServer) -> Iterator[dict[str, str | None]]:
    """Run the script as an administrator, and say of each statement what the server said."""
    if "enterprise" in str(neo4j_empty.run("CALL dbms.components() YIELD edition")):
        pytest.skip("this server is not Community: the script would make roles on it")
    with neo4j_empty.driver.session(database="system") as session:
        there = session.run("SHOW USERS YIELD user WHERE user = $name", name=NAME).data()
        assert there == [], f"the user {NAME} is somebody's already"
        said: dict[str, str | None] = {}
        for one in statements():
            try:
                session.run(one).consume()
                said[one] = None
            except exceptions.Neo4jError as fault:
                said[one] = fault.code
        yield said
        session.run("DROP USER kindred").consume()


def test_community_takes_the_user_and_refuses_the_rest_for_its_edition_only(
    neo4j_empty: Neo4jServer, outcomes: dict[str, str | None]
) -> None:
    """A statement that is not well-formed would be a SyntaxError before that."""
    user, *roles = outcomes
    assert outcomes[user] is None
    assert set(map(outcomes.get, roles)) == {ONLY_ENTERPRISE}
    assert len(roles) == 20
    # That user makes a store, writes and looks at it.
    link = Link(neo4j_empty.address, Server(user=NAME, password=FIRST))
    try:
        make(link)
        with writer_lock(link, "to try", wait=False) as held:
            held.writing(lambda work: work.run("CREATE (:Mark)"), wanted="to try")
        made = Manifest.read(link)
        assert made is not None
        assert [f for f in examine(link, made, silent) if not f.ok] == []
    finally:
        link.close()


def test_a_malformed_statement_would_be_noticed(neo4j: Neo4jServer) -> None:
    with (
        neo4j.driver.session(database="system") as session,
        pytest.raises(exceptions.CypherSyntaxError),
    ):
        session.run("GRANT WRITING ON GRAPH social TO kindred_writer").consume()

"""The doctor on a server: says what it counted, and notices what somebody took away."""

from __future__ import annotations

import re

import pytest

from engine.backends.neo4j.lock import writer_lock
from engine.backends.neo4j.migrations import FORMAT
from engine.backends.neo4j.store import Neo4jStore
from engine.contract import Finding
from engine.results import RESULTS
from tests.engine.backends.worlds import START, load, random_batch, small_run, world
from tests.servers.fixtures import OpenStore
from tests.servers.server import Neo4jServer


def findings(store: Neo4jStore) -> dict[str, Finding]:
    return {finding.what: finding for finding in store.doctor()}


@pytest.fixture
def store(neo4j_store: OpenStore) -> Neo4jStore:
    """Two loads, of which the second joins handles with users, and a run."""
    opened = neo4j_store()
    for number in (1, 2):
        load(opened, random_batch(number), str(number))
    events = world(
        shares=[{"user_id": f"x:{i}", "content_id": "x:p", "at": START} for i in range(5)],
        follows=[{"follower_id": "x:1", "followee_id": "x:2"}],
    )
    load(opened, events, "3")
    opened.publish(small_run(opened))
    return opened


def test_a_store_that_is_well(neo4j: Neo4jServer, store: Neo4jStore) -> None:
    found = findings(store)
    assert [f for f in found.values() if not f.ok] == []
    run = store.run().run_id
    users = store.query("MATCH (u:User) RETURN count(u) AS n")["n"].to_pylist()[0]
    assert set(found) == {
        "server", "version", "constraints", "graph", "lock", "leftovers", f"run {run}",
        *(f"batch {b.batch_id}" for b in store.batches()),
    }  # fmt: skip
    assert found["server"].found.startswith(f"Neo4j {neo4j.version} ")
    assert found["version"].found == f"store format {FORMAT}"
    assert found[f"batch {store.batches()[2].batch_id}"].found == (
        "3: 6 rows that were new, 0 rejected"
    )
    assert found["graph"].found.startswith(f"{users} users, ")
    assert found[f"run {run}"].found == f"the active run, {len(RESULTS)} files, as they were kept"
    assert found["lock"].found == "nobody is writing"
    assert found["leftovers"].found == "none"
    # Nor does the database know whose password all this was done with.
    assert neo4j.password not in repr(neo4j.run("MATCH (n) RETURN properties(n) AS p"))


HARMS = (
    (
        "MATCH ()-[r:FOLLOWS]->() WITH r LIMIT 1 DELETE r",
        "graph",
        r"it holds only \d+ of \d+ follows",
    ),
    (
        "CREATE (:Brand {name: 'mine'}), (:Brand {name: 'mine too'})",
        "strangers",
        "nodes that kindred did not write carry its labels: 2 Brand",
    ),
    (
        "DROP CONSTRAINT kindred_unique_Topic",
        "constraints",
        r"missing: \(:Topic \{topic_id\}\) unique",
    ),
    (
        "MATCH (c:kindred_Chunk) WITH c LIMIT 1 DELETE c",
        "run",
        r"\w+\.(parquet|json): it is not what was kept",
    ),
    (
        "MATCH (u:User) WITH u LIMIT 1 SET u.kindred_load = 77",
        "graph",
        "of no load that the store knows: 1 User",
    ),
    ("MATCH (f:kindred_File) DELETE f", "run", "its tables are gone"),
    ("MATCH (r:kindred_Result) DELETE r", "run", "the active run has no record"),
)
"""What somebody does to the database, which finding tells of it, and in which words."""


def test_harm_is_noticed_and_named(neo4j: Neo4jServer, store: Neo4jStore) -> None:
    """One harm upon another; what was told before is still told, or told anew."""
    told: dict[str, str] = {}
    for harm, what, found in HARMS:
        neo4j.run(harm)
        told[what] = found
        wrong = {f.what.split()[0]: f for f in store.doctor() if not f.ok}
        assert set(wrong) == set(told)
        for name, finding in wrong.items():
            assert re.fullmatch(told[name], finding.found)
            assert finding.todo


def test_what_goes_on_or_was_left_behind_harms_nobody(
    neo4j: Neo4jServer, store: Neo4jStore
) -> None:
    neo4j.run("CREATE (:kindred_Chunk {key: 'k', file: 'f'}), (:kindred_Worker {owner: 'gone'})")
    found = findings(store)
    assert [f for f in found.values() if not f.ok] == []
    assert found["leftovers"].found.startswith(
        "1 workers of writers that are gone, 1 pieces of files: of work that goes on or was"
    )
    with writer_lock(store.link, "to look", wait=False):
        assert findings(store)["lock"].found.endswith(" is writing")
    assert [f for f in store.doctor(rebuild=True) if not f.ok] == []
    assert findings(store)["leftovers"].found == "none"

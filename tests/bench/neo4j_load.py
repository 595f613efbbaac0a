"""How fast is loading into Neo4j? `python -m tests.bench.neo4j_load [activity.txt.gz]`.

Loads SNAP Higgs activity (563,069 events of 304,691 users) over the driver in one run: as
anyone would, with UNWIND and MERGE in batches of 20,000, and with kindred, whose time holds
everything from the file to a graph that counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb

from engine.backends.neo4j.store import Neo4jStore
from loaders.run import load
from tests.bench.load import EVENTS, HIGGS
from tests.servers.choice import Servers, Unusable
from tests.servers.jars import NotThere
from tests.servers.server import Neo4jServer

BATCH: Final = 20_000

CONSTRAINT: Final = "CREATE CONSTRAINT FOR (u:User) REQUIRE u.user_id IS UNIQUE"
USERS: Final = "UNWIND $rows AS row MERGE (:User {user_id: row.user_id})"
PAIRS: Final = """
UNWIND $rows AS row
MATCH (a:User {user_id: row.user_id})
MATCH (b:User {user_id: row.target_id})
MERGE (a)-[r:INTERACTED {kind: row.kind, at: row.at}]->(b)
SET r.weight = 1.0
"""


def rows(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read users and events as one map a row, as a driver takes them."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            """
            CREATE TABLE events AS
            SELECT DISTINCT 'x-higgs:' || a AS user_id, 'x-higgs:' || b AS target_id, k AS kind,
                   to_timestamp(t::BIGINT) AS "at"
            FROM read_csv($path, delim = ' ', header = false,
                columns = {'a': 'VARCHAR', 'b': 'VARCHAR', 't': 'VARCHAR', 'k': 'VARCHAR'})
            """,
            {"path": str(path)},
        )
        events = con.sql("FROM events").to_arrow_table().to_pylist()
        users = con.sql(
            "SELECT user_id FROM events UNION SELECT target_id FROM events"
        ).to_arrow_table()
    return users.to_pylist(), events


def batches(given: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut rows into batches."""
    for first in range(0, len(given), BATCH):
        yield given[first : first + BATCH]


def naive(server: Neo4jServer, path: Path) -> tuple[float, int]:
    """Seconds of UNWIND and MERGE with unique users, and rows written."""
    server.clean()
    server.run(CONSTRAINT)
    start = time.perf_counter()
    users, events = rows(path)
    with server.driver.session() as session:
        for text, given in ((USERS, users), (PAIRS, events)):
            for some in batches(given):
                session.execute_write(lambda tx, t, r: tx.run(t, rows=r).consume(), text, some)
    return time.perf_counter() - start, len(users) + len(events)


def kindred(server: Neo4jServer, path: Path) -> float:
    """Seconds of a first load into an empty store."""
    server.clean()
    with Neo4jStore.open(server.address, server.settings(timeout=600.0)) as store:
        start = time.perf_counter()
        (report,) = load(store, path)
        took = time.perf_counter() - start
    assert report.rows["interactions"] == EVENTS
    return took


def main(path: Path = HIGGS) -> None:
    """Print rows (users and events) a second of each, and their ratio."""
    if not path.exists():
        print("neo4j load: the Higgs activity is not beside the project; not measured")
        return
    servers = Servers()
    try:
        server = servers.shared()
        plain, written = naive(server, path)
        ours = kindred(server, path)
        server.clean()
    except (NotThere, Unusable) as missing:
        print(f"neo4j load: not measured: {missing}")
        return
    finally:
        servers.close()
    print(f"{'':<30} {'seconds':>8} {'rows/s':>10}")
    for what, took in (("UNWIND and MERGE by 20,000", plain), ("kindred load", ours)):
        print(f"{what:<30} {took:>8.2f} {written / took:>10,.0f}")
    print(f"{'kindred over the other':<30} {plain / ours:>8.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HIGGS)

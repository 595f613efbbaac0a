"""Names on the server that are kindred's beside those of the model.

What kindred writes carries `kindred_load`, the number of the load (or 0 for a run) that wrote
it: that is how a load that did not finish is swept, and how a stranger's data is told
from kindred's. Labels and properties of bookkeeping begin with `kindred_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "ACTIVE",
    "BATCH",
    "BESIDE",
    "BOOKKEEPING",
    "CHANGE",
    "CHUNK",
    "CLAIM",
    "EXPOSURE",
    "FILE",
    "HANDLE",
    "LOAD",
    "LOCK",
    "MEMBER",
    "OWN",
    "PREFIX",
    "PUBLICATION",
    "RESULT",
    "SAID",
    "SEEN",
    "STORE",
    "WORKER",
    "Names",
]

PREFIX: Final = "kindred_"


@dataclass(frozen=True, slots=True)
class Names:
    """What the labels and types of the model are called in a database.

    `whole` names the nodes whose keys are whole numbers in the graph that they stand for.

    Examples
    --------
    >>> OWN.of("Community"), BESIDE.of("Community")
    ('Community', 'kindred_Community')
    >>> BESIDE.key("User", "graph:17"), Names(PREFIX, frozenset({"User"})).key("User", "graph:17")
    ('17', 17)
    """

    prefix: str = ""
    whole: frozenset[str] = frozenset()

    def of(self, name: str) -> str:
        """Return what a label or type of the model is called."""
        return self.prefix + name

    def key(self, node: str, id: str) -> str | int:
        """Return the key that a node with this id has in the graph that it stands for."""
        native = id.partition(":")[2]
        return int(native) if node in self.whole else native


OWN: Final = Names()
"""In a database of kindred's own."""
BESIDE: Final = Names(PREFIX)
"""Beside somebody's own graph, whose `User` or `Community` is then never met."""

STORE: Final = "kindred_Store"
"""One node: format, writer, revision, settled, adopted mapping."""
LOCK: Final = "kindred_Lock"
"""One node: who writes, where, until when; only its name while nobody does."""
WORKER: Final = "kindred_Worker"
"""One node a writing connection of the load that is going on; each of its transactions locks
it, so that nothing is written for a load that was taken over."""
BATCH: Final = "kindred_Batch"
"""One node a load: number, state (open, done), fingerprint, report."""
HANDLE: Final = "kindred_Handle"
"""A user known by a handle only, `platform:@name`. Where a load resolved it to somebody the
node says to whom (`kindred_to`) and is a User no longer, until it is ambiguous again."""
NAME: Final = "kindred_Name"
"""A name that a brand goes by which nobody has declared: where mentions of it end."""
CHANGE: Final = "kindred_Change"
"""What a finished load changes of nodes and edges that were there: applied after it, once."""
MEMBER: Final = "kindred_Member"
"""A row of `brand_members`."""
EXPOSURE: Final = "kindred_Exposure"
"""A row of `impressions` that names a community."""
RESULT: Final = "kindred_Result"
"""One node a run: id, info as JSON, active."""
PUBLICATION: Final = "kindred_Publication"
"""One node a run that stands in the graph, in whole or in part; a `Run` too while active."""
FILE: Final = "kindred_File"
"""A file kept in the database: owner, name, size, checksum."""
CHUNK: Final = "kindred_Chunk"
"""A piece of such a file."""

BOOKKEEPING: Final = (
    STORE, LOCK, WORKER, BATCH, HANDLE, CHANGE, MEMBER, EXPOSURE, RESULT, PUBLICATION, FILE, CHUNK,
    NAME,
)  # fmt: skip
"""Labels of all that is bookkeeping."""

LOAD: Final = "kindred_load"
"""Property: number of the load that wrote a node or relationship."""
SEEN: Final = "kindred_seen"
"""Property: when each mergeable column was seen, microseconds, in the order of the model, the
least integer where that or the column is unknown; a single one stands for all that are known;
absent where no time is known."""
TOLD: Final = "kindred_told"
"""Property of a User or Content of which a row of an export tells: 2 where that gives the
platform, else 1. Absent where events only name it."""
CLAIM: Final = "kindred_claim"
"""Property of a User: the id that a mention of its handle says, `platform:@name`."""
TO: Final = "kindred_to"
"""Property of a `kindred_Handle`: the user it was resolved to."""
SAID: Final = "kindred_said"
"""Property of a relationship whose ends were resolved, or that is several rows in one: what
the exports said, a JSON list for each row (`graph_rows.COLUMNS`)."""
NAMED: Final = "kindred_NAMED"
"""Type of a mention that ends at a `kindred_Name`."""
ACTIVE: Final = "kindred_active"
"""Property of the one Run node whose results are the answer."""

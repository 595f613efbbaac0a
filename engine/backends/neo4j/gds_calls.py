"""The typed client's calls, over kindred's own connection.

The client would open sessions as it likes. Here each of its calls takes one of the
transactions the store may have open, has its time limit, and ends in errors of three lines.
"""

from __future__ import annotations

from typing import Any, NoReturn

import neo4j
import pandas as pd
from graphdatascience.call_parameters import CallParameters
from graphdatascience.query_runner import QueryRunner
from graphdatascience.query_runner.query_mode import QueryMode
from graphdatascience.query_runner.query_type import QueryType
from graphdatascience.versions import ServerVersion
from typing_extensions import override

from engine.backends.neo4j.driver import Link
from engine.errors import ServerError

__all__ = ["Calls"]


class Calls(QueryRunner):
    """What `GraphDataScience` asks of a connection, done by a `Link`.

    Parameters
    ----------
    link
        The store's connection; it stays open when the client is closed.
    version
        Of Graph Data Science, as the server told it.
    """

    def __init__(self, link: Link, version: str) -> None:
        self._link = link
        self._version = version

    @override
    def call_procedure(
        self,
        endpoint: str,
        query_type: QueryType = QueryType.USER_TRANSPILED,
        params: CallParameters | None = None,
        yields: list[str] | None = None,
        database: str | None = None,
        mode: QueryMode = QueryMode.READ,
        logging: bool = False,
        retryable: bool = False,
        custom_error: bool = True,
    ) -> pd.DataFrame:
        """Call a procedure by the name the client gives, its values as parameters.

        The text is the client's, of procedures it names itself; none of it comes from data.
        """
        given = params or CallParameters()
        text = f"CALL {endpoint}({given.placeholder_str()})"
        if yields is not None:
            text += f" YIELD {', '.join(yields)}"
        return self._frame(text, given, retryable=retryable, wanted=f"to call {endpoint}")

    @override
    def call_function(
        self,
        endpoint: str,
        query_type: QueryType = QueryType.USER_TRANSPILED,
        params: CallParameters | None = None,
    ) -> Any:
        """Call a function and return its value."""
        given = params or CallParameters()
        text = f"RETURN {endpoint}({given.placeholder_str()}) AS value"
        frame = self._frame(text, given, retryable=True, wanted=f"to call {endpoint}")
        return frame["value"].iloc[0]

    @override
    def run_cypher(
        self,
        query: str,
        query_type: QueryType,
        params: dict[str, Any] | None = None,
        database: str | None = None,
        mode: QueryMode | None = None,
        custom_error: bool = True,
    ) -> pd.DataFrame:
        """Run a statement once."""
        return self._frame(query, params, retryable=False, wanted="to use Graph Data Science")

    @override
    def run_retryable_cypher(
        self,
        query: str,
        query_type: QueryType,
        params: dict[str, Any] | None = None,
        database: str | None = None,
        mode: QueryMode | None = None,
        custom_error: bool = True,
    ) -> pd.DataFrame:
        """Run a statement, again after a passing fault."""
        return self._frame(query, params, retryable=True, wanted="to use Graph Data Science")

    def _frame(
        self, text: str, params: dict[str, Any] | None, *, retryable: bool, wanted: str
    ) -> pd.DataFrame:
        # What changes the catalogue must not be tried again by the driver: the first try may
        # have made the graph, and the second would fail because it is there.
        run = self._link.read if retryable else self._link.once
        return pd.DataFrame(dict(run(text, params, wanted=wanted).columns))

    # What the client asks beside calls ----------------------------------------------------

    @override
    def server_version(self) -> ServerVersion:
        """Return the version of Graph Data Science."""
        return ServerVersion.from_string(self._version)

    @override
    def database(self) -> str | None:
        """Name the database."""
        return self._link.server.database

    @override
    def bookmarks(self) -> neo4j.Bookmarks | None:
        """Return none: nothing here waits for a write elsewhere."""
        return None

    @override
    def last_bookmarks(self) -> neo4j.Bookmarks | None:
        """Return none: nothing here waits for a write elsewhere."""
        return None

    @override
    def driver_config(self) -> dict[str, Any]:
        """Return nothing: no second driver is to be made."""
        return {}

    @override
    def set_show_progress(self, show_progress: bool) -> None:
        """Show none: kindred tells of progress itself."""

    @override
    def set_database(self, database: str) -> None:
        """Refuse: a store is one database."""
        self._refuse(f"to use the database {database}")

    @override
    def set_bookmarks(self, bookmarks: neo4j.Bookmarks | None) -> None:
        """Refuse: nothing here waits for a write elsewhere."""
        self._refuse("to wait for a bookmark")

    @override
    def db_driver(self) -> neo4j.Driver:
        """Refuse: connections are counted by the link."""
        self._refuse("to lend the driver")

    @override
    def encrypted(self) -> bool:
        """Say whether the address asks for encryption."""
        return "+s" in self._link.address.split("://", 1)[0]

    @override
    def cloneWithoutRouting(self, host: str, port: int) -> QueryRunner:
        """Refuse: that is for a data flight, which is not used."""
        self._refuse(f"to connect to {host}:{port}")

    @override
    def read_connection_info(self) -> neo4j.Address:
        """Refuse: that is for a data flight, which is not used."""
        self._refuse("to tell where the server reads")

    def _refuse(self, wanted: str) -> NoReturn:
        raise ServerError(
            wanted,
            "the client for Graph Data Science runs over the store's own connection",
            "report this: kindred never asks for it",
        )

"""Neighbourhoods in somebody's own graph: the named reading statements, told by its mapping.

What a statement of `cypher/read` asks of kindred's own graph is looked up here along the
mapped paths, at the keys of the ids asked for, and put together in the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

import cypher
from engine.backends.neo4j.adopted_rows import read_at, read_part
from engine.backends.neo4j.adoption import Adoption
from engine.backends.neo4j.driver import Link
from engine.backends.neo4j.mapping import ROLES, Part
from engine.contract import Backend
from engine.merge import merged_sql
from engine.model import CANONICAL
from engine.progress import silent

__all__ = ["AdoptedReader"]

_TIES: Final = ("interactions", "follows", "mentions")


class AdoptedReader:
    """Answers the named statements from a mapped graph and the runs over it.

    Parameters
    ----------
    link
        The database that holds the graph.
    adoption
        What it means.
    results
        The store that holds the runs.
    """

    def __init__(self, link: Link, adoption: Adoption, results: Backend) -> None:
        self._link = link
        self._adoption = adoption
        self._results = results
        self._statements: Mapping[str, Callable[[Mapping[str, Any]], pa.Table]] = {
            "users": self._users,
            "contents": self._contents,
            "brand_accounts": self._brand_accounts,
            "community_members": self._community_members,
            "content_posters": self._content_posters,
            "content_sharers": self._content_sharers,
            "ego_in": lambda given: self._ego(given, end=1),
            "ego_out": lambda given: self._ego(given, end=0),
            "user_content": self._user_content,
        }

    def statement(self, name: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Return what the statement of this name returns. Raises `KeyError` as it does."""
        declared = cypher.statement(name)
        return self._statements[name](parameters).select(declared.returns)

    # Things -------------------------------------------------------------------------------

    def _users(self, given: Mapping[str, Any]) -> pa.Table:
        return _sql(
            """
            SELECT a.position, u.user_id, coalesce(u.platform, split_part(u.user_id, ':', 1))
                   AS platform, u.handle, u.name, u.followers_count, u.labels
            FROM asked a JOIN people u ON u.user_id = a.id ORDER BY a.position
            """,
            asked=_asked(given["ids"]),
            people=self._people(given["ids"]),
        )

    def _contents(self, given: Mapping[str, Any]) -> pa.Table:
        return _sql(
            """
            SELECT a.position, c.content_id, coalesce(c.platform, split_part(c.content_id, ':', 1))
                   AS platform, c.kind, c.author_id, c.created_at, c.text, c.url
            FROM asked a JOIN posts c ON c.content_id = a.id ORDER BY a.position
            """,
            asked=_asked(given["ids"]),
            posts=self._posts(given["ids"]),
        )

    def _people(self, ids: Iterable[str]) -> pa.Table:
        named = [
            *self._adoption.of("users"),
            *(Part(ROLES["users"], key.match("user_id")) for key in self._adoption.keys("user")),
        ]
        return _merged("users", [self._at(part, 0, ids) for part in named])

    def _posts(self, ids: Iterable[str]) -> pa.Table:
        named = [
            *self._adoption.of("content"),
            *(
                Part(ROLES["content"], key.match("content_id"))
                for key in self._adoption.keys("content")
            ),
        ]
        found = [self._at(part, 0, ids) for part in named]
        found += [self._at(part, 1, ids) for part in self._adoption.of("posts")]
        return _merged("content", found)

    def _at(self, part: Part, end: int, ids: Iterable[str]) -> pa.Table:
        return read_at(self._link, part, self._adoption, end, ids)

    def _events(self, table: str, roles: Sequence[str], end: int, ids: Iterable[str]) -> pa.Table:
        found = [self._at(part, end, ids) for part in self._adoption.of(*roles)]
        return _complete(table, found)

    # Neighbourhoods -----------------------------------------------------------------------

    def _brand_accounts(self, given: Mapping[str, Any]) -> pa.Table:
        found = [
            read_part(self._link, part, self._adoption, silent).table
            for part in self._adoption.of("accounts")
        ]
        return _sql(
            """
            SELECT DISTINCT value AS user_id, brand_id FROM members
            ORDER BY user_id, brand_id LIMIT $limit
            """,
            {"limit": given["limit"]},
            members=_complete("brand_members", found),
        )

    def _community_members(self, given: Mapping[str, Any]) -> pa.Table:
        members = self._results.read(
            "memberships",
            where={"community_id": given["id"], "fold": None},
            order=("-confidence", "user_id"),
            limit=given["limit"],
        )
        return _sql(
            """
            SELECT m.user_id, u.name, u.handle, u.platform, u.followers_count, m.confidence
            FROM members m JOIN people u USING (user_id) ORDER BY m.confidence DESC, m.user_id
            """,
            members=members,
            people=self._users({"ids": members["user_id"].to_pylist()}),
        )

    def _content_posters(self, given: Mapping[str, Any]) -> pa.Table:
        posts = self._posts([given["id"]])
        topics = self._events("topics", ("topics",), 0, [given["id"]])
        return _sql(
            """
            SELECT c.author_id AS user_id, u.name, CASE WHEN c.author_id IS NOT NULL
                   THEN c.created_at END AS "at",
                   (SELECT coalesce(list(DISTINCT kind || ':' || label ORDER BY kind || ':' ||
                    label), []) FROM topics) AS topics
            FROM posts c LEFT JOIN people u ON u.user_id = c.author_id
            """,
            posts=posts,
            topics=topics,
            people=self._people(_known(posts["author_id"])),
        )

    def _content_sharers(self, given: Mapping[str, Any]) -> pa.Table:
        shares = self._events("shares", ("shares",), 1, [given["id"]])
        first = _sql(
            """
            SELECT user_id, "at", kind, max(via_user_id) AS via_user_id FROM shares
            GROUP BY ALL ORDER BY "at" NULLS LAST, user_id, kind LIMIT $limit
            """,
            {"limit": given["limit"]},
            shares=shares,
        )
        ids = _known(first["user_id"])
        return _sql(
            """
            SELECT s.user_id, u.name, u.handle, s."at", s.kind, s.via_user_id, m.community_id
            FROM shares s LEFT JOIN people u USING (user_id) LEFT JOIN homes m USING (user_id)
            ORDER BY s."at" NULLS LAST, s.user_id, s.kind
            """,
            shares=first,
            people=self._people(ids),
            homes=self._homes(ids),
        )

    def _homes(self, ids: Sequence[str]) -> pa.Table:
        """Return the community of each of these users in the active run; none without a run."""
        if not any(run.active for run in self._results.runs()):
            return pa.table({"user_id": pa.array([], pa.string()), "community_id": []})
        where = {"fold": None, "level": 1, "user_id": list(ids)}
        return self._results.read("memberships", where=where)

    def _ego(self, given: Mapping[str, Any], *, end: int) -> pa.Table:
        rows = []
        for role in _TIES:
            mine, other = (column for column, _ in ROLES[role].ends)
            mine, other = (other, mine) if end else (mine, other)
            for part in self._adoption.of(role):
                found = _complete(part.role.table, [self._at(part, end, [given["id"]])])
                kind = "kind" if "kind" in found.column_names else f"'{_WORDS[role]}'"
                rows.append(_sql(f"SELECT {other} AS user_id, {kind} AS kind FROM found",
                                 found=found))  # fmt: skip
        ties = pa.concat_tables([_NO_TIES, *(r.cast(_NO_TIES.schema) for r in rows)])
        most = _sql(
            """
            SELECT user_id, kind, count(*) AS count FROM ties GROUP BY ALL
            ORDER BY count DESC, user_id, kind LIMIT $limit
            """,
            {"limit": given["limit"]},
            ties=ties,
        )
        return _sql(
            """
            SELECT t.user_id, u.name, u.handle, t.kind, t.count FROM most t
            LEFT JOIN people u USING (user_id) ORDER BY t.count DESC, t.user_id, t.kind
            """,
            most=most,
            people=self._people(_known(most["user_id"])),
        )

    def _user_content(self, given: Mapping[str, Any]) -> pa.Table:
        posted = [self._at(part, 0, [given["id"]]) for part in self._adoption.of("posts")]
        ids = _known(_complete("content", posted)["content_id"])
        return _sql(
            """
            SELECT c.content_id, c.created_at AS "at", c.text, c.url,
                   (SELECT count(*) FROM (SELECT DISTINCT user_id, content_id, kind, "at"
                    FROM shares) s WHERE s.content_id = c.content_id) AS share_count
            FROM posts c ORDER BY share_count DESC, c.content_id LIMIT $limit
            """,
            {"limit": given["limit"]},
            posts=self._posts(ids),
            shares=self._events("shares", ("shares",), 1, ids),
        )


_WORDS: Final = {"follows": "follows", "mentions": "mentioned"}
"""What a tie is called where it has no kinds: its type, in small letters."""
_NO_TIES: Final = pa.schema([("user_id", pa.string()), ("kind", pa.string())]).empty_table()


def _asked(ids: Sequence[str]) -> pa.Table:
    return pa.table(
        {"position": pa.array(range(1, len(ids) + 1), pa.int64()), "id": pa.array(ids, pa.string())}
    )


def _known(column: pa.ChunkedArray) -> list[str]:
    return sorted(set(column.drop_null().to_pylist()))


def _complete(table: str, found: Sequence[pa.Table]) -> pa.Table:
    """Return all rows with the columns that a canonical table has, null where not mapped."""
    schema = pa.schema([f.with_nullable(True) for f in CANONICAL[table].schema])
    return pa.concat_tables([schema.empty_table(), *found], promote_options="default")


def _merged(table: str, found: Sequence[pa.Table]) -> pa.Table:
    return _sql(merged_sql(CANONICAL[table], "rows"), rows=_complete(table, found))


def _sql(select: str, parameters: Mapping[str, Any] | None = None, **tables: pa.Table) -> pa.Table:
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            db.register(name, table)
        return db.sql(select, params=dict(parameters or {})).to_arrow_table()

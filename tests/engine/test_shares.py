"""Which shares count."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from engine.assemble import assemble
from engine.shares import first_shares

POSTED = dt.datetime(2021, 8, 1, 12, tzinfo=dt.UTC)
TIME = pa.timestamp("us", "UTC")


def share(user: str, minutes: float | None, kind: str = "share") -> dict[str, object]:
    at = None if minutes is None else POSTED + dt.timedelta(minutes=minutes)
    return {"user_id": user, "content_id": "x:1", "at": at, "kind": kind}


def counted(*shares: dict[str, object]) -> tuple[list[tuple[str, float | None]], dict[str, int]]:
    schema = pa.schema(
        [("user_id", pa.string()), ("content_id", pa.string()), ("at", TIME), ("kind", pa.string())]
    )
    s = assemble(
        {
            "content": pa.table(
                {
                    "content_id": ["x:1"],
                    "author_id": ["x:author"],
                    "created_at": pa.array([POSTED], TIME),
                }
            ),
            "shares": pa.Table.from_pylist(list(shares), schema=schema),
        }
    )
    first = first_shares(s)
    posted = int(POSTED.timestamp() * 1e6)
    minutes = [None if t == np.iinfo(np.int64).min else (t - posted) / 6e7 for t in first.at]
    users = [s.users.user_id[int(u)].as_py() for u in first.user]
    return list(zip(users, minutes, strict=True)), dict(first.dropped)


def test_the_first_share_of_each_user_counts() -> None:
    rows, dropped = counted(share("x:b", 9), share("x:a", 5), share("x:a", 2, "quote"))
    assert rows == [("x:a", 2.0), ("x:b", 9.0)]
    assert dropped == {"bookmark": 0, "self_share": 0, "before_post": 0, "repeat": 1}


def test_bookmarks_and_self_shares_do_not_count() -> None:
    rows, dropped = counted(share("x:a", 5, "bookmark"), share("x:author", 1), share("x:b", 3))
    assert rows == [("x:b", 3.0)]
    assert dropped == {"bookmark": 1, "self_share": 1, "before_post": 0, "repeat": 0}


def test_clocks_may_differ_by_five_minutes_and_no_more() -> None:
    rows, dropped = counted(share("x:a", -5), share("x:b", -5.01), share("x:c", -600))
    assert rows == [("x:a", 0.0)]
    assert dropped["before_post"] == 2


def test_a_share_without_a_time_comes_after_those_with_one() -> None:
    rows, _ = counted(share("x:a", None), share("x:b", 1))
    assert rows == [("x:b", 1.0), ("x:a", None)]
    rows, _ = counted(share("x:a", None), share("x:a", 1, "quote"))
    assert rows == [("x:a", 1.0)]

"""Rows of the lists as items of answers: each with its headline figure and its run."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

__all__ = ["community_items", "score_item", "score_items"]

Item = dict[str, Any]


def score_items(rows: pa.Table, run_id: str) -> list[Item]:
    """Return scores as items."""
    return [score_item(row, run_id) for row in rows.to_pylist()]


def score_item(row: Item, run_id: str) -> Item:
    """Return a score as an item."""
    return _headline(row, run_id) | {"n": row["n_posts"]}


def community_items(rows: pa.Table, run_id: str) -> list[Item]:
    """Return communities as items."""
    return [_headline(row, run_id) for row in rows.to_pylist()]


def _headline(row: Item, run_id: str) -> Item:
    return row | {
        "estimate": row["resonance"],
        "low": row["resonance_low"],
        "high": row["resonance_high"],
        "run_id": run_id,
    }

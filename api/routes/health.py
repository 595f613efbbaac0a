"""Whether there is a store, and something in it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter

from api.deps import Store
from api.schemas import Health

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/health", response_model=Health)
def health(backend: Store) -> dict[str, Any]:
    """Say whether the server has something to answer with."""
    runs = backend.runs()
    active = next((run for run in runs if run.active), None)
    return {
        "status": "ready" if active else "empty",
        "version": version("kindred"),
        "run_id": active.run_id if active else None,
        "tier": active.tier if active else None,
        "run_count": len(runs),
        "load_count": len(backend.batches()),
    }

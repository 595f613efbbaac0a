"""Runs: all, and one with what it says about itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.deps import Answering, Paged, Store, fresh, tag
from api.schemas import Run, RunAnswer, RunPage
from engine.lists import Page, made_sources

__all__ = ["router"]

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("", response_model=RunPage)
def all_runs(request: Request, response: Response, backend: Store, cut: Paged) -> dict[str, Any]:
    """List the runs, newest first."""
    runs = backend.runs()
    fresh(request, response, tag(*((run.run_id, run.active, run.stale) for run in runs)))
    before = cut.key("runs")
    ids = [run.run_id for run in runs]
    start = ids.index(before[0]) + 1 if before and before[0] in ids else 0
    shown = runs[start : start + cut.limit]
    more = start + cut.limit < len(runs)
    after = (shown[-1].run_id,) if more else None
    return {
        "items": [Run.model_validate(run) for run in shown],
        "next": cut.next("runs", "", Page(None, after)),
    }


@router.get("/{run_id}", response_model=RunAnswer)
def one_run(
    request: Request,
    response: Response,
    backend: Store,
    run_id: Annotated[str, Path(min_length=1, max_length=200, description="a run's id")],
) -> dict[str, Any]:
    """Return a run: options, data, versions, its notes and its calibration."""
    run = backend.run(run_id)
    batches = backend.batches()
    fresh(request, response, tag(run.run_id, run.active, *(b.batch_id for b in batches)))
    answering = Answering(backend, run, tuple(made_sources(batches)), request.app.state.scenes)
    return answering.envelope(
        run=Run.model_validate(run),
        notes=backend.read("notes", run_id=run.run_id).to_pylist(),
        calibration=backend.read("calibration", run_id=run.run_id).to_pylist(),
    )

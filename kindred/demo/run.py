"""Running a demo: load, analyse, answer, pages. Everything a user could do by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from engine.connect import connect
from engine.progress import Progress, silent
from engine.verbs import analyse
from kindred.answer import answer
from kindred.demo.shows import SHOWS, Show
from kindred.made import is_made, labelled
from loaders.run import load
from viz.view import write_pages

__all__ = ["Shown", "index", "show"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A demo that has run: its answer, its store and its pages."""

    name: str
    question: str
    made: bool
    answer: RenderableType
    store: Path
    front: Path


def show(name: str, folder: Path, progress: Progress = silent) -> Shown:
    """Run one demo below `folder` and return its answer.

    The store and the pages stay there; running it again loads nothing twice.
    """
    it = SHOWS[name]
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    with connect(home / "store") as backend:
        load(backend, it.source(home / "data"), options=it.options, progress=progress)
        run = analyse(backend, it.params, progress)
        beyond = [] if it.beyond is None else list(it.beyond(backend, run, home))
        whole = Group(
            labelled(_opening(it), backend),
            answer(backend, run.run_id, beyond=beyond, store=str(home / "store")),
        )
        pages = write_pages(backend, home / "pages", progress=progress)
        made = is_made(backend)
    front = next(page for page in pages if page.name == "index.html")
    return Shown(name, it.question, made, whole, home / "store", front)


def _opening(it: Show) -> RenderableType:
    return Group(*_lines(it))


def _lines(it: Show) -> Iterator[RenderableType]:
    yield Rule(f"[bold]{it.name}[/bold]", align="left")
    yield Text(it.question, style="italic")
    yield Text("")


def index(folder: Path, shown: Sequence[Shown]) -> Path:
    """Write the page that leads to the pages of each demo, and return its path."""
    page = Environment(loader=PackageLoader("kindred.demo"), autoescape=True).get_template(
        "index.html"
    )
    links = [
        {
            "name": done.name,
            "question": done.question,
            "made": done.made,
            "href": done.front.relative_to(folder).as_posix(),
        }
        for done in shown
    ]
    path = folder / "index.html"
    path.write_text(page.render(links=links), encoding="utf-8")
    return path

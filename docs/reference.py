"""Write docs/reference/ from the code, or check that it is what the code says.

python -m docs.reference            write
python -m docs.reference --check    fail where a page is not what the code says
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer
from typer.core import TyperGroup, TyperOption

import cypher
from engine.backends.neo4j.gds_support import SUPPORT
from engine.comparison import PARTS
from engine.contract import Backend
from engine.model import CANONICAL, EDGES, NODES
from engine.results import RESULTS, ResultTable
from engine.scorecard import ELEMENTS, KEPT, Element
from engine.scorecard import PLACES as PLACES_KEPT
from kindred.cli.app import app
from kindred.settings import Settings
from loaders.formats import FORMATS
from tests.conformance.conf import VERBS, Conf
from tests.conformance.registry import CONFS

FOLDER = Path(__file__).parent / "reference"
PLACES = {"scorecard": FOLDER.parent}
"""Pages that stand elsewhere."""
NOTE = "<!-- Written by `python -m docs.reference`; change the code instead. -->\n"


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def commands() -> Iterator[str]:
    """Every command's help, as the terminal shows it."""
    yield "# Commands\n"
    root = typer.main.get_command(app)
    if not isinstance(root, TyperGroup):
        raise TypeError(root)
    for name in sorted(root.commands):
        command = root.commands[name]
        if command.hidden:
            continue
        context = typer.Context(command, info_name=f"kindred {name}")
        yield f"## {name}\n"
        yield (command.help or "").replace("\b", "").strip() + "\n"
        yield f"    kindred {name} {' '.join(command.collect_usage_pieces(context))}\n"
        rows = []
        for parameter in command.params:
            if not isinstance(parameter, TyperOption) or parameter.hidden:
                continue
            record = parameter.get_help_record(context)
            if record is not None:
                rows.append((f"`{record[0]}`", " ".join(record[1].split())))
        if rows:
            yield table(("option", "meaning"), rows) + "\n"


def formats() -> Iterator[str]:
    """Every format a loader reads."""
    yield "# Formats\n"
    for f in FORMATS:
        yield f"## {f.name}\n\n{f.about}\n"
        yield f"**Told by:** {f.told_by}\n"
        yield f"**Carries:** {f.carries}\n"
        yield f"**Cannot say:** {f.cannot_say}\n"
        yield (
            "Read from real files.\n" if f.confirmed else "Made from documentation, unconfirmed.\n"
        )
        yield f"    {f.example}\n"
        yield table(
            ("option", "meaning"),
            ((f"`{name}`", about) for name, about in f.all_options.items()),
        )
        yield ""


def model() -> Iterator[str]:
    """Each table that is loaded, and each that the graph holds."""
    yield "# Model\n"
    yield "Ids are strings `platform:native-id`; times are UTC, in microseconds; unknown is null.\n"
    yield "## Canonical tables\n"
    for t in CANONICAL.values():
        yield f"### {t.name}\n\n{t.about}. One row a {', '.join(t.key)}.\n"
        yield (
            table(
                ("column", "type", "", "meaning"),
                (
                    (f"`{c.name}`", str(c.type), "required" if c.required else "", c.about)
                    for c in t.columns
                ),
            )
            + "\n"
        )
    yield "## Node tables of the graph\n"
    yield (
        table(
            ("table", "meaning", "properties (the first is its key)"),
            (
                (n.name, n.about, ", ".join(f"`{p}`" for p, _ in n.properties))
                for n in NODES.values()
            ),
        )
        + "\n"
    )
    yield "## Edge tables of the graph\n"
    yield (
        table(
            ("table", "from, to", "meaning", "properties"),
            (
                (
                    e.name,
                    "; ".join(f"{a}, {b}" for a, b in e.pairs),
                    e.about,
                    ", ".join(f"`{p}`" for p, _ in e.properties),
                )
                for e in EDGES.values()
            ),
        )
        + "\n"
    )


def results() -> Iterator[str]:
    """Each table that an analysis answers with."""
    yield "# Results\n"
    yield (
        "`kindred export TABLE -o FILE` writes any of these. An *estimate* has `_low` and `_high`, "
        "a *count* is exact, an *index* names its method; unknown is null.\n"
    )
    for t in RESULTS.values():
        yield from declared(f"## {t.name}", t)
    yield "## Of two runs\n"
    yield "`kindred compare` puts two runs beside each other, in three parts (`--part`).\n"
    for t in PARTS.values():
        yield from declared(f"### {t.name} of two runs", t)


def declared(heading: str, t: ResultTable) -> Iterator[str]:
    """Yield a declared table under its heading."""
    yield f"{heading}\n\n{t.about}. Sorted by {', '.join(t.order)}.\n"
    columns = ((f"`{c.name}`", str(c.type), c.about) for c in t.columns)
    yield table(("column", "type", "meaning"), columns) + "\n"


def stores() -> Iterator[str]:
    """Say what each kind of store does, as its conformance tests have it."""
    yield "# Stores\n"
    yield (
        "Every verb of the contract is tested on every kind of store, with the same graphs and "
        "the same answers. What one cannot do is written down beside its tests, which fail where "
        "that is no longer so: *never* says why it cannot be, *notyet* waits for somebody else, "
        "*notimpl* is still to be done.\n"
    )
    kinds = CONFS.values()
    yield table(
        ("verb", "meaning", *(f"{conf.title} (`--store {conf.address}`)" for conf in kinds)),
        (
            (f"`{verb}`", _about(verb), *("; ".join(_does(conf, verb)) for conf in kinds))
            for verb in VERBS
        ),
    )
    yield "\n## Neo4j and Graph Data Science\n"
    yield (
        "*Tried*: the tests of this version ran on it. *Expected*: their makers declare that they "
        "fit, and the client accepts them. *Refused*: kindred's own kernels are used.\n"
    )
    yield table(
        ("Neo4j", "Graph Data Science", "", "note"),
        ((s.neo4j, s.gds, s.standing, s.note) for s in SUPPORT),
    )


def _about(verb: str) -> str:
    return (getattr(Backend, verb).__doc__ or "").strip().partition("\n")[0]


def _does(conf: Conf, verb: str) -> Iterator[str]:
    gaps = [gap for gap in conf.gaps if gap.verb == verb]
    if not any(not gap.given and not gap.tests for gap in gaps):
        yield "yes"
    for gap in gaps:
        what = f"`{gap.given}` " if gap.given else ""
        yield f"{what}{gap.grade}: {gap.reason}"


def statements() -> Iterator[str]:
    """Each named Cypher statement."""
    yield "# Statements\n"
    yield (
        "Everything kindred asks of a graph, one statement a file under `cypher/`. Those of `read` "
        "are what `/v1` and the pages ask; where a Neo4j server needs its own wording, that is "
        "what stands here second.\n"
    )
    shared, neo4j = cypher.statements(), cypher.statements("neo4j")
    for room in cypher.ROOMS:
        names = [name for name, s in neo4j.items() if s.room == room]
        if names:
            yield f"## {room}\n"
        for name in names:
            yield f"### {name}\n\n{neo4j[name].about}\n"
            texts = [s[name].text.strip() for s in (shared, neo4j) if name in s]
            for text in dict.fromkeys(texts):
                yield "```cypher\n" + text + "\n```\n"


def settings() -> Iterator[str]:
    """Each setting that can come from the environment."""
    yield "# Settings\n"
    yield "What can be set once instead of on each call. An option given on a call wins.\n"
    yield table(
        ("variable", "default", "meaning"),
        (
            (
                f"`KINDRED_{name.upper()}`",
                "" if field.default is None else f"`{field.default}`",
                field.description or "",
            )
            for name, field in Settings.model_fields.items()
        ),
    )


def scorecard() -> Iterator[str]:
    """Each element of the integration model."""
    yield "# The scorecard\n"
    yield (
        "Every element of the integration model, for any source, over everyone or in one "
        "community. Each figure stands alone: there is no sum of them.\n"
    )
    yield "    kindred scorecard u003\n    kindred scorecard u003 --community c1\n"
    yield (
        "The library has `k.scorecard(source, community=...)`, the server "
        "`GET /v1/scorecard?source=...&community=...`. A run keeps the scorecards of the "
        f"{KEPT} most shared sources of each kind, over everyone and in the {PLACES_KEPT} "
        "communities that share each most; any other is made when it is asked for.\n"
    )
    yield "## How to read a figure\n"
    yield (
        "- *People* are all others over everyone, or the members of the community, as the fold of "
        "the source places them: in communities that were found without its shares.\n"
        "- An estimate has a 90 % interval (`low`, `high`) and `n`, of how many it was counted. A "
        "figure that was counted out has no interval.\n"
        "- *Times shown* are impressions where the data name those of half of the source's "
        "contents; else every post or share of a content by somebody whom a person follows.\n"
        "- `basis` names the columns a figure came from. Where the data cannot tell, the value is "
        "null and `reason` says why. Nothing is put in its place.\n"
        "- Rates have the interval of Jeffreys; what is *shrunk* has that of the beta distribution "
        "after five cases of the mean, means have Student's.\n"
    )
    rows: dict[str, list[Element]] = {}
    for element in ELEMENTS:
        rows.setdefault(element.row, []).append(element)
    for row, elements in rows.items():
        yield f"## {row[:1].upper()}{row[1:]}\n"
        for element in elements:
            yield f"### {element.name}\n\n{element.about}\n"
            facts = (
                ("formula", element.formula),
                ("range", element.range),
                ("unit", element.unit),
                ("needs", element.needs),
            )
            yield "\n".join(f"- *{name}*: {text}" for name, text in facts) + "\n"


PAGES = {
    "commands": commands,
    "formats": formats,
    "model": model,
    "results": results,
    "scorecard": scorecard,
    "settings": settings,
    "statements": statements,
    "stores": stores,
}


def main() -> int:
    """Write or check every page; return the exit status."""
    check = "--check" in sys.argv[1:]
    stale = []
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path = PLACES.get(name, FOLDER) / f"{name}.md"
        text = NOTE + "\n" + "\n".join(page()).rstrip() + "\n"
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"docs: not what the code says: {', '.join(stale)}\n")
        sys.stderr.write("to do: python -m docs.reference\n")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())

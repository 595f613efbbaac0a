from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

import kindred
from engine.model import TOPIC_KINDS
from engine.params import AnalysisParams
from kindred.cli import analysing, load
from kindred.cli.app import app
from kindred.facade import EXPORTS
from loaders.exports import edges
from loaders.formats import FORMATS

Call = Callable[..., Any]

COMMANDS = [
    "demo",
    "load",
    "adopt",
    "formats",
    "analyse",
    "communities",
    "resonance",
    "influence",
    "reach",
    "seeds",
    "cascades",
    "calibration",
    "validate",
    "compare",
    "why",
    "scorecard",
    "bundle",
    "replay",
    "view",
    "export",
    "query",
    "runs",
    "serve",
    "doctor",
    "remove",
]
HEAVY = {"numpy", "pyarrow", "pandas", "duckdb", "ladybug", "numba", "fastapi", "pydantic"}


def command(name: str) -> Any:
    group: Any = typer.main.get_command(app)
    return group.resolve_command(group.make_context("kindred", [name, "x"]), [name])[1]


def test_the_commands_are_those_of_the_design() -> None:
    group: Any = typer.main.get_command(app)
    listed = [name for name, c in group.commands.items() if not c.hidden]
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("name", [*COMMANDS, "analyze"])
def test_help_says_what_it_does_and_shows_examples(call: Call, name: str) -> None:
    ended = call(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"Usage: kindred {name}" in ended.out
    assert f"$ kindred {'analyse' if name == 'analyze' else name}" in ended.out


def test_without_a_command_the_help_is_shown(call: Call) -> None:
    ended = call()
    assert ended.code == 0
    assert "First time?" in ended.out


def test_version(call: Call) -> None:
    from importlib.metadata import version

    assert call("--version").out == f"kindred {version('kindred')}\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from kindred.cli import main; main(['--help']); "
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"


def test_analyse_has_an_option_for_every_parameter() -> None:
    options = {o for p in analysing.command("analyse").params for o in p.opts}
    declared = {f"--{name.replace('_', '-')}" for name in AnalysisParams.model_fields}
    assert declared <= options
    assert "--no-split" in options
    assert "--no-gamma" not in options


def test_load_has_an_option_for_every_option_of_every_format() -> None:
    taken = {p.name for p in command("load").params}
    own = {
        "paths", "from_format", "strict", "no_wait", "store", "_database", "format", "quiet",
        "_debug",
    }  # fmt: skip
    assert taken - own == {name for f in FORMATS for name in f.all_options}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kind", edges.KINDS),
        ("ids", ("id", "handle")),
        ("header", ("yes", "no")),
        ("objects", ("content", *TOPIC_KINDS)),
    ],
)
def test_load_offers_the_words_the_loaders_take(name: str, words: tuple[str, ...]) -> None:
    offered, nothing = get_args(get_type_hints(load.load)[name])
    assert (get_args(offered), nothing) == (words, type(None))


def test_load_hands_over_what_was_given(call: Call, desk: Path) -> None:
    Path("own.csv").write_text("when;who;whom;often\n1630000000;Ann;Bob;2\n", encoding="utf-8")
    given = {
        "source_column": "who", "target_column": "whom", "weight_column": "often",
        "time_column": "when", "direction": "whom engages who", "kind": "reply",
        "ids": "handle", "header": "yes", "platform": "mine",
        "timezone": "Europe/Berlin", "encoding": "latin-1",
    }  # fmt: skip
    flags = [word for k, v in given.items() for word in (f"--{k.replace('_', '-')}", v)]
    assert call("load", "own.csv", "--from-format", "edges", "--store", "own", *flags).code == 0
    with kindred.connect("own") as k:
        (batch,) = k.backend.batches()
    assert batch.options == {**given, "direction": "B engages A"}


def test_load_hands_over_what_the_objects_are(call: Call, desk: Path) -> None:
    Path("coor.csv").write_text(
        "object_id,account_id,content_id,timestamp_share\nq7,a,p1,1630000000\n", encoding="utf-8"
    )
    assert call("load", "coor.csv", "--store", "c", "--objects", "image").code == 0
    with kindred.connect("c") as k:
        assert k.backend.batches()[0].options["objects"] == "image"


def test_export_lists_every_table_it_can_write() -> None:
    (table,) = [p for p in command("export").params if p.name == "table"]
    assert sorted(re.findall(r"\w+", table.help.replace(" or ", ", "))) == sorted(EXPORTS)


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {"demo", "serve"}))
def test_every_command_is_a_verb_of_the_library(name: str) -> None:
    assert callable(getattr(kindred.Kindred, name))


def test_analyse_hands_over_what_was_given(call: Call, desk: object) -> None:
    import orjson

    ended = call(
        "analyse", "--seed", 7, "--rewirings", 0, "--no-split", "--ties", "shares",
        "--ties", "likes", "--format", "json",
    )  # fmt: skip
    assert ended.code == 0
    (run,) = orjson.loads(ended.out)
    said = AnalysisParams.model_validate_json(run["params"])
    assert said.continues.startswith("r-"), "the run that was there before"
    assert said == AnalysisParams(
        seed=7,
        rewirings=0,
        split=None,
        ties=("shares", "likes"),
        engine="local",
        continues=said.continues,
    )

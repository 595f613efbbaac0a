"""The command `kindred analyse`, whose options are the fields of `AnalysisParams`."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from engine.params import AnalysisParams
from kindred.cli.bar import bar
from kindred.cli.opening import writing
from kindred.cli.options import Database, Debug, Format, NoWait, Quiet, RowFormat, Store, examples
from kindred.cli.printing import console, show
from kindred.cli.runs import COLUMNS

__all__ = ["command"]

Window = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="A..B",
        help="Only what happened from A up to B: --since and --until in one.",
    ),
]
Every = Annotated[
    str | None,
    typer.Option(
        "--every",
        metavar="LENGTH",
        help="A run for each stretch of time, such as 30d, 2w or 12h; communities keep their ids.",
    ),
]


def command(name: str) -> Any:
    """Return the command under one of its names."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(
        name,
        epilog=examples(
            "kindred analyse",
            "kindred analyse --seed 7 --rewirings 0 --no-split",
            "kindred analyse --ties shares --ties likes --sources user --gamma 1",
            "kindred analyse --window 2021-09-05..2021-09-20 --rewirings 0",
            "kindred analyse --every 10d --rewirings 0 --no-split",
        ),
        context_settings={"help_option_names": ["--help", "-h"]},
    )(_function())
    return typer.main.get_command(app)


def analyse(
    given: dict[str, Any], store: str | None, format: RowFormat, *, wait: bool, quiet: bool
) -> None:
    """Analyse, print the answer, and close."""
    with writing(store, wait=wait) as k:
        with bar(quiet=quiet) as progress:
            made = k.analyse(progress=progress, **given)
        if format != "table" or made.run_id is None:
            show(made, format, columns=COLUMNS, quiet=quiet)
            return
        from kindred.answer import answer

        console().print(answer(k.backend, made.run_id, store=store))


def _function() -> Callable[..., None]:
    """Build the function Typer reads the options off."""

    def run(
        *,
        window: Window,
        every: Every,
        no_wait: NoWait,
        store: Store,
        _database: Database,
        format: Format,
        quiet: Quiet,
        _debug: Debug,
        **fields: Any,
    ) -> None:
        given = _given(fields) | {"window": window, "every": every}
        analyse(given, store, format, wait=not no_wait, quiet=quiet)

    own = inspect.signature(run, eval_str=True).parameters
    defaults = {
        "window": None,
        "every": None,
        "no_wait": False,
        "store": None,
        "_database": None,
        "format": "table",
        "quiet": False,
        "_debug": False,
    }
    parameters = [*_field_options()]
    parameters += [
        own[name].replace(default=value, kind=own[name].KEYWORD_ONLY)
        for name, value in defaults.items()
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__doc__ = (
        "Find communities, score and calibrate everything, and print the answer.\n\n"
        "The answer becomes the active run; a run before it stays listed. The same data, "
        "options and seed give the same figures to the last digit."
    )
    return run


def _field_options() -> list[inspect.Parameter]:
    """Return an option for each field, and `--no-<field>` where null is not the default."""
    options = []
    for name, field in AnalysisParams.model_fields.items():
        kind, nullable = _plain(field.annotation)
        info = typer.Option(
            f"--{name.replace('_', '-')}",
            help=_sentence(field.description or ""),
            show_default=str(field.default) if field.default is not None else False,
        )
        options.append(_parameter(name, Annotated[kind | None, info], None))
        if nullable and field.default is not None:
            flag = typer.Option(f"--no-{name.replace('_', '-')}", help=f"Without {name}.")
            options.append(_parameter(f"no_{name}", Annotated[bool, flag], False))
    return options


def _sentence(text: str) -> str:
    """Begin with a capital and end with a full stop; names inside keep theirs."""
    return f"{text[:1].upper()}{text[1:]}."


def _parameter(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def _plain(annotation: Any) -> tuple[Any, bool]:
    """Return the type an option has on the command line, and whether the field may be null.

    Examples
    --------
    >>> _plain(float | None), _plain(int)
    ((<class 'float'>, True), (<class 'int'>, False))
    >>> from typing import Literal
    >>> kind, nullable = _plain(tuple[Literal["a", "b"], ...] | None)
    >>> [str(word) for word in get_args(kind)[0]], nullable
    (['a', 'b'], True)
    """
    nullable = False
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [a for a in get_args(annotation) if a is not type(None)]
        nullable = len(inner) < len(get_args(annotation))
        (annotation,) = inner
    if get_origin(annotation) is tuple:
        # Typer reads lists of an enumeration, not of literals.
        words = get_args(get_args(annotation)[0])
        return list[StrEnum("Word", [(word, word) for word in words])], nullable  # type: ignore[misc]
    return annotation, nullable


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that were set; those of `--no-<field>` as null."""
    given: dict[str, Any] = {}
    for name in AnalysisParams.model_fields:
        if fields.get(f"no_{name}"):
            given[name] = None
        elif fields[name] is not None:
            value = fields[name]
            given[name] = tuple(map(str, value)) if isinstance(value, list) else value
    return {name: value for name, value in given.items() if value != ()}

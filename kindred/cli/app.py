"""The commands, gathered, and the way a process ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kindred.cli import (
    adopt,
    analyse,
    bundle,
    calibration,
    cascades,
    communities,
    compare,
    demo,
    doctor,
    export,
    formats,
    influence,
    load,
    query,
    reach,
    remove,
    replay,
    resonance,
    runs,
    scorecard,
    seeds,
    serve,
    validate,
    view,
    why,
)
from kindred.cli.reporting import INTERRUPTED, guarded, tell_usage

__all__ = ["app", "main"]


class Commands(TyperGroup):
    """A group whose commands end in a few lines and an exit code, whatever happens."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that was named."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in analyse.NAMES:
            from kindred.cli import analysing

            command = analysing.command(name)
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        with guarded(ctx):
            return super().invoke(ctx)


app = typer.Typer(
    name="kindred",
    cls=Commands,
    help="Where something resonates, beside where it is only loud.",
    epilog="First time? Try: kindred demo parliament",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

for _panel, _modules in {
    "Begin": (demo, load, adopt, formats, analyse),
    "Read": (
        *(communities, resonance, why, influence, reach, seeds, scorecard, cascades),
        *(calibration, validate, runs, compare),
    ),
    "Show and take away": (view, serve, export, bundle, replay, query),
    "Keep": (doctor, remove),
}.items():
    for _module in _modules:
        _module.register(app, _panel)


def _show_version(value: bool) -> None:
    if value:
        from kindred import __version__

        typer.echo(f"kindred {__version__}")
        raise typer.Exit


@app.callback()
def _whole(
    ctx: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0 done; 1 failed; 2 wrong usage; 3 done with rejected rows under --strict;
    130 interrupted.

    Examples
    --------
    >>> main(["runs", "--store", "no/such/folder"])
    1
    """
    try:
        code = app(args=arguments, prog_name="kindred", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        where = getattr(error, "ctx", None)
        tell_usage(where.command_path if where else "kindred", error.format_message())
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0

"""How a command ends badly: three lines for an error, one for Ctrl-C, none for a closed pipe."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

import typer

from engine.errors import KindredError, UsageError

__all__ = ["FAILED", "INTERRUPTED", "REJECTED", "guarded", "tell", "tell_usage"]

FAILED = 1
REJECTED = 3
INTERRUPTED = 128 + signal.SIGINT
"""What shells report for a command that Ctrl-C ended."""

_LEFT: Final = {
    "load": "what was being loaded is not in the store",
    "demo": "what was finished is kept",
}
_LEFT_ELSE: Final = "the store is as it was before"


@contextmanager
def guarded(ctx: typer.Context) -> Iterator[None]:
    """Run a command; end it with an exit code and a few lines whatever it raises.

    Raises
    ------
    typer.Exit
        With 1 (failed), 2 (wrong usage) or 130 (interrupted).
    """
    with _listening() as interrupted:
        try:
            yield
            sys.stdout.flush()
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except BrokenPipeError:
            _leave_quietly()
        except KeyboardInterrupt:
            _leave_interrupted(ctx)
        except KindredError as error:
            _fail(ctx, error)
        except Exception as error:  # noqa: BLE001 - the last place that can put it in words
            # A library may answer Ctrl-C with an error of its own.
            if interrupted():
                _leave_interrupted(ctx)
            _fail(ctx, _worded(_command(ctx), error))


def tell(error: KindredError) -> None:
    """Print an error's three lines on stderr, whatever its texts hold."""
    from kindred.plain import plain

    for word, text in (("wanted", error.wanted), ("found", error.found), ("to do", error.todo)):
        line = " ".join(text.split())
        sys.stderr.write(f"{word}: {plain(line).plain}\n")


def tell_usage(command: str, message: str) -> None:
    """Print what is wrong with a command line as three lines."""
    tell(UsageError(command, message, f"see: {command} --help"))


def _command(ctx: typer.Context) -> str:
    return f"kindred {ctx.invoked_subcommand or ''}".strip()


def _trace(ctx: typer.Context) -> None:
    if ctx.ensure_object(dict).get("debug"):
        traceback.print_exc()


def _fail(ctx: typer.Context, error: KindredError) -> NoReturn:
    _trace(ctx)
    tell(error)
    raise typer.Exit(error.exit_code)


def _worded(command: str, error: Exception) -> KindredError:
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return KindredError(
            command,
            f"{error.strerror or error}{where}",
            "check the path, its permissions and the disk",
        )
    return KindredError(
        command,
        f"a defect in kindred: {type(error).__name__}: {error}",
        "run it again with --debug and report what it prints",
    )


def _leave_interrupted(ctx: typer.Context) -> NoReturn:
    _trace(ctx)
    left = _LEFT.get(ctx.invoked_subcommand or "", _LEFT_ELSE)
    sys.stderr.write(f"{_command(ctx)}: interrupted; nothing is half done, {left}\n")
    raise typer.Exit(INTERRUPTED)


def _leave_quietly() -> NoReturn:
    # Python flushes stdout once more at exit; let it go nowhere.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(0)


@contextmanager
def _listening() -> Iterator[Callable[[], bool]]:
    """Remember that Ctrl-C was pressed, beside what it does already."""
    heard: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        # Whoever started us ignores Ctrl-C, or nobody presses anything here.
        yield lambda: False
        return

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield lambda: bool(heard)
    finally:
        signal.signal(signal.SIGINT, before)

"""The application that the commands join, and what an error looks like."""

from __future__ import annotations

import io
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from ihcscore import __version__
from ihcscore.errors import IhcscoreError

EXIT_BAD_INPUT, EXIT_PARTLY, EXIT_STOPPED = 2, 3, 130
# Typer carries its own copy of click from some version on; the base of its usage errors is the same in both.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    help="Immune cells per mm² on immunohistochemistry slides.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


# Options that are called otherwise than the parameter that they give.
_OPTIONS = {"n_fields": "fields", "rename": "map", "keys": "key"}


def option_name(parameter: str) -> str:
    """The option by which the command line gives a parameter of the library."""
    return "--" + _OPTIONS.get(parameter, parameter).replace("_", "-")


class Stopped(Exception):  # noqa: N818
    """Ctrl-C; the message says what is left and how to go on."""


def show_error(error: IhcscoreError) -> None:
    """A line for each fault on stderr, parameters spelled as options."""
    for line in error.spelled(option_name).splitlines():
        typer.echo(f"ihcscore: {line}", err=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ihcscore {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; bad input ends in a line for each fault on stderr, a bug keeps its traceback."""
    _print_any_name()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        status = app(prog_name="ihcscore", standalone_mode=False)
    except IhcscoreError as error:
        show_error(error)
        sys.exit(EXIT_BAD_INPUT)
    except _UsageError as error:
        typer.echo(f"ihcscore: {_usage(error)}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except Stopped as stopped:
        typer.echo(f"ihcscore: stopped; {stopped}", err=True)
        sys.exit(EXIT_STOPPED)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("ihcscore: stopped; nothing was written", err=True)
        sys.exit(EXIT_STOPPED)
    sys.exit(status if isinstance(status, int) else 0)


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C.

    Where a plain KeyboardInterrupt has passed through ``exec``, as it may while modules are loaded, Python
    ends by the signal, whatever status is asked for; with one of another type it doesn't.
    """


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _Interrupted


def _print_any_name() -> None:
    """Let no file's name, and no terminal that lacks a sign, end a command: a question mark stands for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _usage(error: Exception) -> str:
    """What is wrong with the words of a command line, in one line, and where they are told."""
    context = getattr(error, "ctx", None)
    command = "ihcscore" if context is None or context.info_name is None else context.command_path
    message = " ".join(getattr(error, "format_message", error.__str__)().split())
    return f"{message.rstrip('.')}; see '{command} --help'"

"""The application that the commands join, and what an error looks like."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ihcscore import __version__
from ihcscore.errors import IhcscoreError

EXIT_BAD_INPUT, EXIT_PARTLY = 2, 3
# Typer carries its own copy of click from some version on; the base of its usage errors is the same in both.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    help="Immune cells per mm² on immunohistochemistry slides.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


# Options that are called otherwise than the parameter that they give.
_OPTIONS = {"n_fields": "fields", "rename": "map", "keys": "key"}


def option_name(parameter: str) -> str:
    """The option by which the command line gives a parameter of the library."""
    return "--" + _OPTIONS.get(parameter, parameter).replace("_", "-")


def show_error(error: IhcscoreError) -> None:
    """One line on stderr, parameters spelled as options."""
    typer.echo(f"ihcscore: {error.spelled(option_name)}", err=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ihcscore {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; bad input ends in one line on stderr, a bug keeps its traceback."""
    try:
        status = app(standalone_mode=False)
    except IhcscoreError as error:
        show_error(error)
        sys.exit(EXIT_BAD_INPUT)
    except _UsageError as error:
        message = getattr(error, "format_message", error.__str__)()
        typer.echo(f"ihcscore: {message.rstrip('.')}; see 'ihcscore --help'", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("ihcscore: stopped; only what was finished is written", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)

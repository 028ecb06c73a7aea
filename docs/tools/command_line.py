"""The command line as a page, from the commands' own help."""

from __future__ import annotations

from pathlib import Path

import typer

from ihcscore.cli.commands import app

PAGE = Path(__file__).resolve().parents[1] / "generated" / "command-line.md"


def command_line_page() -> str:
    """Every command with its arguments and options, as ``--help`` shows them."""
    group = typer.main.get_command(app)
    parts = ["# The command line\n\nMade from the program itself: what `ihcscore COMMAND --help` says.\n"]
    for name, command in group.commands.items():
        context = command.make_context(name, [], resilient_parsing=True, max_content_width=100)
        context.command_path  # noqa: B018  named before help is asked for
        help_text = command.get_help(context).replace(f"Usage: {name}", f"Usage: ihcscore {name}", 1)
        parts.append(f"\n## `ihcscore {name}`\n\n```text\n{help_text}\n```\n")
    return "".join(parts)

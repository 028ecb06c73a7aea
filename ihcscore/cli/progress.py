"""How far a command is, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ihcscore.output.progress import Progress


@contextmanager
def progress_bar(quiet: bool, *, lines: bool = False) -> Iterator[Progress]:
    """A progress bar on stderr where a person watches it; else, for long runs, a line a step."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage, share: typer.echo(stage, err=True) if lines and not quiet else None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<40}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("opening", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)

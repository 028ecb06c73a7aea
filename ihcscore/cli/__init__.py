"""The command line: parse, call, print.

Nothing heavy is imported here at the top, so that ``ihcscore --help`` answers at once.
Exit status: 0 all went well; 2 nothing could be done, one line on stderr says why; 3 part of it failed
and stands in the tables as failed.
"""

from ihcscore.cli import slides, studies, suv  # noqa: F401  (their commands join the application)
from ihcscore.cli.app import app, main

__all__ = ["app", "main"]

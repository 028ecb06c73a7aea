"""All commands joined to the application.

Nothing heavy is imported by them at the top, so that ``ihcscore --help`` answers at once.
"""

# A command joins the application as it is imported; --help lists them in this order.
# isort: off
from ihcscore.cli import run, map, regions, fields, count, info, profiles  # noqa: A004, F401
from ihcscore.cli import review, register, cohort, suv, uptake, correlate  # noqa: F401
from ihcscore.cli import biodistribution, plasma, recist, table1, agree, demo  # noqa: F401
# isort: on

from ihcscore.cli.app import app, main

__all__ = ["app", "main"]

"""The command line: parse, call, print; a file a command.

Exit status: 0 all went well; 2 nothing could be done, one line on stderr says why; 3 part of it failed
and stands in the tables as failed.
"""


def main() -> None:
    """Run the command line.

    It is loaded only here: a cohort's workers import what started them, and have no use for it.
    """
    from ihcscore.cli import commands

    commands.main()

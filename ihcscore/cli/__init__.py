"""The command line: parse, call, print; a file a command.

Exit status: 0 all went well; 2 nothing could be done, a line on stderr for each fault says why; 3 part of it
failed and stands in the tables as failed; 130 stopped by Ctrl-C. docs/troubleshooting.md has them in full.
"""

import sys


def main() -> None:
    """Run the command line.

    It is loaded only here: a cohort's workers import what started them, and have no use for it.
    """
    try:
        from ihcscore.cli import commands
    except KeyboardInterrupt:
        sys.stderr.write("ihcscore: stopped; nothing was written\n")
        sys.exit(130)
    commands.main()

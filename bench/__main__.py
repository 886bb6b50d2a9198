"""`python3 -m bench NAME [--size N] [--json]`: one bench, as a table or as a list of rows."""

import sys

from core import bootstrap

if __name__ == "__main__":
    bootstrap.ensure("bench", sys.argv[1:])
    from bench import command

    sys.exit(command.main(sys.argv[1:]))

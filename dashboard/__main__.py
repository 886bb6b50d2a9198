"""`python3 -m dashboard`: everything that it takes, in one command, on a machine that has only Python."""

import sys

from core import bootstrap

if __name__ == "__main__":
    bootstrap.ensure("dashboard", sys.argv[1:])
    from dashboard import serve

    sys.exit(serve.main(sys.argv[1:]))

"""`python3 -m tests`: what must hold before anything is merged, in one command, on a machine that has only Python."""

import sys

from core import bootstrap

if __name__ == "__main__":
    bootstrap.ensure("tests", sys.argv[1:])
    from tests import steps

    sys.exit(steps.main(sys.argv[1:]))

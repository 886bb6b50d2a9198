"""`python3 -m core.jobs VERB`: the worker, and what an operator does by hand."""

import os
import sys

from core import bootstrap

if __name__ == "__main__":
    if not os.environ.get("HUNTAZE_PARENT_PIPE"):  # a child of ours runs where its parent does
        bootstrap.ensure("core.jobs", sys.argv[1:])
    from core.jobs import command

    sys.exit(command.main(sys.argv[1:]))

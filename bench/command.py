"""What `python3 -m bench` understands."""

import argparse
from collections.abc import Sequence
from importlib import import_module

from bench.rows import as_json, as_table

BENCHES = ("pages", "webhooks", "routing", "moderation")


def main(arguments: Sequence[str]) -> int:
    """Run one bench and print it. Always 0 once it ran: a ratio over its goal is news, not a failure."""
    parser = argparse.ArgumentParser(
        prog="python3 -m bench", description="Compare with a floor that is taken in the same run."
    )
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument(
        "--size",
        type=int,
        help="how much data, in the bench's own unit; pages: payments imported; webhooks: seconds of a round; "
        "routing: sums compared; moderation: cases of a thousand",
    )
    parser.add_argument("--json", action="store_true", help="a list of rows instead of a table")
    asked = parser.parse_args(arguments)
    rows = import_module(f"bench.{asked.name}").run(asked.size)
    print(as_json(rows) if asked.json else as_table(rows))
    return 0

"""`python3 -m bench NAME [--size N] [--json]`: one bench, as a table or as a list of rows."""

import argparse
import sys
from importlib import import_module

from bench.rows import as_json, as_table

BENCHES = ("pages",)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m bench", description="Compare with a floor taken in the same run.")
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--size", type=int, help="how much data, in the bench's own unit")
    parser.add_argument("--json", action="store_true", help="a list of rows instead of a table")
    asked = parser.parse_args(arguments)
    rows = import_module(f"bench.{asked.name}").run(asked.size)
    print(as_json(rows) if asked.json else as_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python3 -m core.jobs VERB`: the worker, and what an operator does by hand."""

import argparse
import logging
import os
import signal
import sys
import threading

from core.jobs.runner import work


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m core.jobs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    working = verbs.add_parser("work", help="serve the queues until told to stop")
    working.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if os.environ.get("HUNTAZE_PARENT_PIPE"):
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    work(stop, chosen.threads)
    return 0


def _stop_with_parent(stop: threading.Event) -> None:
    """The pipe from the parent closes when it ends, however it ends.

    Read past Python's own buffer: its lock, held at exit, would turn the end into a crash.
    """
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

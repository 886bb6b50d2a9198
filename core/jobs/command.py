"""What `python3 -m core.jobs` understands."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from sqlalchemy.exc import OperationalError

from core.embedded.own import own_database
from core.errors import NotConfigured, Refusal, Unavailable
from core.settings import settings


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 done, 1 refused with a sentence, 2 asked wrongly."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.verb == "stripe-setup":
            return _stripe_setup(is_check=chosen.check, may_be_live=chosen.live)
        with ExitStack() as order:
            if settings().database_url is None:
                order.enter_context(own_database())
            if chosen.verb == "work":
                return _work(chosen.threads)
            if chosen.verb == "reconcile":
                return _reconcile()
            return _set_staff(chosen.email, is_staff=chosen.verb == "make-admin")
    except Refusal as refusal:
        sys.stderr.write(f"{refusal.sentence()}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m core.jobs",
        description="The worker, and what an operator does by hand.",
        epilog="Without DATABASE_URL the database of this machine's own is used, as `python3 -m dashboard` does. "
        "`python3 -m core.jobs VERB --help` says more on a verb.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    words = "serve the queues until told to stop"
    working = verbs.add_parser("work", help=words, description=f"{words.capitalize()}: Ctrl-C or SIGTERM.")
    working.add_argument("--threads", type=int, default=2, help="pieces of work done at the same time (2)")
    for verb, words, more in (
        ("make-admin", "make somebody staff", "They find Admin in the menu once they have signed in again."),
        ("unmake-admin", "take somebody out of staff", "Their sessions end, and nothing of theirs is removed."),
    ):
        one = verbs.add_parser(verb, help=words, description=f"{words.capitalize()}, by the e-mail of sign-up. {more}")
        one.add_argument("email", metavar="EMAIL", help="the address that the person signed up with")
    words = "make what is sold and how payment is set up, in the Stripe account of STRIPE_SECRET_KEY"
    more = "Run again it changes nothing but what is missing or differs. Each line says what was found and done."
    setting = verbs.add_parser("stripe-setup", help=words, description=f"{words.capitalize()}. {more}")
    setting.add_argument("--check", action="store_true", help="only say what is missing or differs")
    setting.add_argument("--live", action="store_true", help="allow a key of live mode, where people pay")
    words = "compare what is held with what Stripe has, now"
    more = "The worker does so by itself: events every five minutes, subscriptions once a night."
    verbs.add_parser("reconcile", help=words, description=f"{words.capitalize()}, and print what differs. {more}")
    return parser


def _reconcile() -> int:
    """1 when Stripe could not be asked."""
    from core.billing.sweep import sweep_now

    _require_tables()
    found = sweep_now()
    differing = "not compared" if found.subscriptions_differing is None else found.subscriptions_differing
    figures = {
        "events that Stripe lists": found.events_listed,
        "of these, never rang here": found.events_missed,
        "customers due to be asked about": found.customers_asked,
        "subscriptions that differ": differing,
    }
    sys.stdout.writelines(f"{words}: {figure}\n" for words, figure in figures.items())
    if found.error:
        raise Unavailable(found.error)
    if found.is_something:
        sys.stdout.write("Whatever differs is asked of Stripe again by the worker. Run this again when it has.\n")
    return 0


def _stripe_setup(*, is_check: bool, may_be_live: bool) -> int:
    """1 when something is not as it should be."""
    from core.billing.setup import OPEN, set_up

    is_open = False
    for line in set_up(is_check=is_check, may_be_live=may_be_live):
        sys.stdout.write(f"{line}\n")
        is_open = is_open or line.outcome in OPEN
        if line.secret:
            sys.stdout.write(
                f"  Stripe tells this once; set it and start again: STRIPE_WEBHOOK_SECRETS={line.secret}\n"
            )
    return int(is_open)


def _set_staff(email: str, *, is_staff: bool) -> int:
    from core.workspaces.staff import make_staff, unmake_staff

    _require_tables()
    change = make_staff if is_staff else unmake_staff
    state = "staff" if is_staff else "not staff"
    if change(email):
        sys.stdout.write(f"{email} is {state} now, and has to sign in again.\n")
    else:
        sys.stdout.write(f"{email} is {state} already; nothing was changed.\n")
    return 0


def _require_tables() -> None:
    from migrations.run import current, head

    url = settings().database_url
    if url is None:
        raise RuntimeError("no database")
    try:
        found = current(url.get_secret_value())
    except OperationalError as error:
        raise Unavailable("database.does_not_answer", words=str(error).splitlines()[0]) from error
    if found != head():
        raise NotConfigured("database.not_migrated")


def _work(threads: int) -> int:
    from core.jobs.runner import work

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if os.environ.get("HUNTAZE_PARENT_PIPE"):
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    work(stop, threads)
    return 0


def _stop_with_parent(stop: threading.Event) -> None:
    """The pipe from the parent closes when it ends, however it ends.

    Read past Python's own buffer: its lock, held at exit, would turn the end into a crash.
    """
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()

"""The steps of the test command: form, rules, types, directions of imports, then the tests themselves."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_CHECKS = {
    "format": ("The code is formatted", ("-m", "ruff", "format", "--check", ".")),
    "lint": ("The rules of ruff hold", ("-m", "ruff", "check", ".")),
    "types": ("The types agree (mypy, strict)", ("-m", "mypy")),
    "imports": (
        "Imports go in the directions that the design gives",
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-logo'])"),
    ),
}
_TESTS = "tests"
NAMES = (*_CHECKS, _TESTS)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Plan:
    """Which steps run, and which tests in the last one."""

    steps: tuple[str, ...]
    pytest_arguments: tuple[str, ...]
    needs_browser: bool
    mutants: tuple[str, ...] | None = None
    """Modules whose mutation score is taken instead, none for all of those that have one."""


def plan(arguments: Sequence[str]) -> Plan:
    """What the words of the command line ask for. Exits with a sentence on words that are neither ours nor pytest's."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tests",
        allow_abbrev=False,
        epilog="Every other word is handed to pytest: files, -k WORDS, -x and the like.",
    )
    parser.add_argument("--fast", action="store_true", help="leave the browser out")
    parser.add_argument("--heavy", action="store_true", help="also the proofs that take minutes or the network")
    words = "instead plant small faults in the pure rules, and say which ones no test notices"
    parser.add_argument("--mutants", nargs="*", metavar="MODULE", help=words)
    parser.add_argument("--only", choices=NAMES, metavar="NAME", help=f"one step alone: {', '.join(NAMES)}")
    chosen, rest = parser.parse_known_args(arguments)
    if chosen.mutants is not None:
        return Plan((), (), needs_browser=False, mutants=tuple(chosen.mutants))
    left_out = [name for name, out in (("heavy", not chosen.heavy), ("browser", chosen.fast)) if out]
    selection = ("-m", " and ".join(f"not {name}" for name in left_out)) if left_out else ()
    steps = (chosen.only,) if chosen.only else NAMES
    return Plan(steps, (*selection, *rest), needs_browser=_TESTS in steps and not chosen.fast)


def main(arguments: Sequence[str]) -> int:
    """Run every step, whatever the others gave. 0 when all hold.

    pytest comes last, so that its closing line closes everything; without it a line of the same form does.
    """
    chosen = plan(arguments)
    if chosen.mutants is not None:
        return not _call(("-m", "tests.mutants", *chosen.mutants))
    failed = [name for name in chosen.steps if name in _CHECKS and not _run(*_CHECKS[name])]
    if _TESTS not in chosen.steps:
        _say(f"{len(chosen.steps) - len(failed)} passed, {len(failed)} failed")
        return bool(failed)
    if chosen.needs_browser:
        _find_browser()
    if failed:
        _say(f"\nFailed so far: {', '.join(failed)}.")
    _heading("The tests pass")
    passed = _call(("-m", "pytest", *chosen.pytest_arguments))
    return not passed or bool(failed)


def _run(title: str, words: tuple[str, ...]) -> bool:
    _heading(title)
    began = time.monotonic()
    passed = _call(words)
    _say(f"{'ok' if passed else 'FAILED'}, {time.monotonic() - began:.1f} s")
    return passed


def _call(words: tuple[str, ...]) -> bool:
    return subprocess.run([sys.executable, *words], cwd=ROOT, check=False).returncode == 0


def _heading(title: str) -> None:
    _say(f"\n── {title}")


def _say(line: str) -> None:
    """At once: what the steps themselves print must come after it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _find_browser() -> None:
    """One from the system's packages where none is found and we may install; else its tests say that they skip."""
    own = Path.home() / ".cache" / "ms-playwright"
    if any(map(shutil.which, _BROWSERS)) or any(own.glob("chromium*")):
        return
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    _say("\nInstalling Chromium for the tests that need a browser.")
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
        try:
            subprocess.run(["apt-get", "-qq", *words], check=False, capture_output=True, env=quietly, timeout=600)
        except subprocess.TimeoutExpired:
            return

"""`python3 -m tests --mutants`: how many small faults, planted one at a time in the pure rules, the tests notice.

Each fault lives in a forked process of its own, in which the module is imported with the fault and the tests that
cover it run until one fails. Nothing on disk changes.
"""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tests.mutating import Fault, faults, planted

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.9
COVERED: dict[str, tuple[str, ...]] = {
    "core.billing.plans": ("tests/billing/test_plans.py", "tests/billing/test_mutants_plans.py"),
    "core.billing.proration": ("tests/billing/test_proration.py", "tests/billing/test_mutants_proration.py"),
    "core.billing.metrics": (
        "tests/billing/test_metrics.py",
        "tests/billing/test_revenue_figures.py",
        "tests/billing/test_mutants_metrics.py",
    ),
    "core.money": ("tests/billing/test_mutants_money.py",),
}
"""The modules whose score is taken, and the tests that cover each. All of them pure: no database is started."""
_SHARED = ("babel.numbers", "hypothesis.strategies", "sqlalchemy.orm", "pytest")
"""Of others, imported once for all forks."""
_NOTICED, _MISSED, _BROKEN = 0, 1, 2
_LEAST_PATIENCE = 20


class _Spoiled(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name = name
        self.path = path
        self.tree = tree

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)  # type: ignore[arg-type]

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), vars(module))  # noqa: S102


def main(names: Sequence[str]) -> int:
    """Score the named modules, or all. 0 when each reaches GOAL."""
    if not hasattr(os, "fork"):
        _say("This needs a system that can fork.")
        return 1
    chosen = [each for each in COVERED if not names or any(name in each for name in names)]
    _warm_up()
    scores = {name: _score(name) for name in chosen}
    for name, score in scores.items():
        _say(f"{name}: {score:.1%} of faults noticed, goal {GOAL:.0%}")
    return 0 if chosen and all(score >= GOAL for score in scores.values()) else 1


def _warm_up() -> None:
    """Import what every fork needs, pytest's plugins too, and nothing that a fault may be planted in."""
    import pytest

    for each in _SHARED:
        importlib.import_module(each)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main(["--noconftest", "--collect-only", "tests/__init__.py"])
    assert not any(name.startswith("core.") for name in sys.modules)


def _score(name: str) -> float:
    path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    source = path.read_text()
    files = [each for each in COVERED[name] if (ROOT / each).exists()]
    began = time.monotonic()
    if _outcome(name, path, ast.parse(source), files, 600) != _MISSED:
        _say(f"{name}: its tests fail without any fault")
        return 0.0
    patience = max(_LEAST_PATIENCE, int(10 * (time.monotonic() - began)))
    every = faults(ast.parse(source))
    survivors: list[Fault] = []
    for number, fault in enumerate(every):
        if _outcome(name, path, planted(source, number), files, patience) == _MISSED:
            survivors.append(fault)
            _say(f"{path.relative_to(ROOT)}:{fault.line} {fault.function or 'module'}: {fault.what}")
    _say(f"{name}: {len(every)} faults, {len(survivors)} not noticed, {time.monotonic() - began:.0f} s\n")
    return 1 - len(survivors) / len(every)


def _outcome(name: str, path: Path, tree: ast.Module, files: Sequence[str], patience: int) -> int:
    child = os.fork()
    if child == 0:
        _run_tests(name, path, tree, files, patience)
    _, status = os.waitpid(child, 0)
    return _MISSED if os.waitstatus_to_exitcode(status) == _MISSED else _NOTICED


def _run_tests(name: str, path: Path, tree: ast.Module, files: Sequence[str], patience: int) -> None:
    """In the child: never returns. A fault that hangs is ended by the alarm, and counts as noticed."""
    import pytest

    signal.alarm(patience)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        sys.meta_path.insert(0, _Spoiled(name, path, tree))
        passed = pytest.main(["-x", "--noconftest", *files]) == 0
    except BaseException:
        os._exit(_BROKEN)
    os._exit(_MISSED if passed else _NOTICED)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The test command: which steps and tests its words ask for, and that a failure of any of them shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.steps import NAMES, main, plan


@pytest.mark.parametrize(
    ("words", "pytest_gets"),
    [
        ([], ("-m", "not heavy")),
        (["--fast"], ("-m", "not heavy and not browser")),
        (["--heavy"], ()),
        (["--heavy", "--fast"], ("-m", "not browser")),
        (
            ["-x", "--fast", "tests/house", "-k", "money"],
            ("-m", "not heavy and not browser", "-x", "tests/house", "-k", "money"),
        ),
        (["-m", "browser"], ("-m", "not heavy", "-m", "browser")),
    ],
)
def test_what_pytest_gets(words: list[str], pytest_gets: tuple[str, ...]) -> None:
    assert plan(words).pytest_arguments == pytest_gets


def test_the_tests_come_last_and_everything_runs_unless_one_step_is_asked_for() -> None:
    assert plan([]).steps == NAMES == ("format", "lint", "types", "imports", "tests")
    assert plan(["--only", "lint"]).steps == ("lint",)
    assert [plan(words).needs_browser for words in ([], ["--fast"], ["--only", "lint"])] == [True, False, False]


def test_faults_are_planted_instead_of_all_steps() -> None:
    assert plan(["--fast"]).mutants is None
    assert (plan(["--mutants"]).mutants, plan(["--mutants"]).steps) == ((), ())
    assert plan(["--mutants", "plans", "money"]).mutants == ("plans", "money")


def test_an_unknown_step_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        plan(["--only", "nonsense"])
    assert "choose from format, lint, types, imports, tests" in capsys.readouterr().err.replace("'", "")


def test_one_step_closes_with_a_count(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "imports"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"


def test_a_failing_step_does_not_stop_the_tests_and_shows_in_the_end(repository: Path, tmp_path: Path) -> None:
    """In a copy with one file out of form: the tests still run, the last line is theirs, the exit code is not 0."""
    for name in ("steps.py", "__init__.py"):
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / name).write_bytes((repository / "tests" / name).read_bytes())
    (tmp_path / "tests" / "test_one.py").write_text("def test_one( ):\n    pass\n")
    for folder in ("core", "dashboard", "pages"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.ruff]\nline-length = 120\n[tool.mypy]\npackages = ["core"]\n'
        '[tool.importlinter]\nroot_packages = ["core", "pages"]\n[[tool.importlinter.contracts]]\n'
        'name = "one"\ntype = "layers"\nlayers = ["pages", "core"]\n'
        '[tool.pytest.ini_options]\naddopts = ["-q"]\nmarkers = ["heavy", "browser"]\n'
    )
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from tests.steps import main; sys.exit(main(['--fast']))"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Failed so far: format." in done.stdout, done.stdout
    assert re.fullmatch(r"1 passed in [0-9.]+s", done.stdout.splitlines()[-1])
    headings = re.findall(r"^── (.+)$", done.stdout, re.MULTILINE)
    assert len(headings) == len(NAMES)
    assert done.stdout.count("\nok, ") == 3


def test_ci_runs_the_same_command(repository: Path) -> None:
    script = repository / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert lines[:2] == ["#!/usr/bin/env bash", "set -euo pipefail"]
    assert lines[-1] == 'exec python3 -m tests "$@"'


def test_make_help_prints_every_verb(repository: Path) -> None:
    text = (repository / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony is not None
    assert sorted(phony[1].split()) == sorted(re.findall(r"^([a-z]+):", text, re.MULTILINE))
    assert sorted(phony[1].split()) == sorted(re.findall(r"^([a-z]+):[^#\n]*## \S", text, re.MULTILINE))

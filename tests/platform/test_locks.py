"""The locks say exactly what is installed: hash by hash, from no particular index, one containing the other."""

import hashlib
import re
import shutil
import subprocess
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from core.bootstrap import LOCKS, PIP, PIP_SHA256
from tests.platform.uv import find_uv

PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[A-Za-z0-9.+!]+( ; [^\\#]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def pins(lock: Path) -> dict[str, str]:
    """Each pinned package's line, with everything up to the next one."""
    blocks = re.split(r"^(?=\S)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {block.splitlines()[0]: block.rstrip() for block in blocks if block.strip()}


@pytest.mark.parametrize("name", [*LOCKS.values(), "requirements-uv.txt"])
def test_every_line_is_a_pin_or_its_hash(repository: Path, name: str) -> None:
    lines = (repository / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []
    assert all(HASH.fullmatch(after) for line, after in pairwise(lines) if PIN.fullmatch(line))
    assert len(lines) > 2


def test_the_lock_for_tests_contains_the_other_exactly(repository: Path) -> None:
    runtime, tests = (pins(repository / LOCKS[name]) for name in ("runtime", "tests"))
    assert runtime.items() <= tests.items()
    assert len(tests) > len(runtime)


def test_what_is_installed_is_what_the_lock_names(repository: Path) -> None:
    wrong = []
    for line in pins(repository / LOCKS["tests"]):
        pin = Requirement(line.rstrip("\\ "))
        if pin.marker is None or pin.marker.evaluate():
            wrong += [] if pin.specifier.contains(version(pin.name)) else [(str(pin), version(pin.name))]
    assert wrong == []


def test_the_vendored_pip_is_the_published_one(repository: Path) -> None:
    content = (repository / "vendor" / PIP).read_bytes()
    assert hashlib.sha256(content).hexdigest() == PIP_SHA256
    assert sorted(path.name for path in (repository / "vendor").iterdir()) == ["README.md", PIP]


@pytest.mark.heavy
@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_follow_from_pyproject(repository: Path, tmp_path: Path, name: str) -> None:
    """Made anew over a copy, which keeps pins that still fit, nothing changes. Needs an index of packages."""
    uv = find_uv(repository)
    for file in ("pyproject.toml", *LOCKS.values()):
        shutil.copy(repository / file, tmp_path)
    recipe = re.search(r"^LOCK = \$\(UV\) (.+)$", (repository / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    more = ["--group", "test", "--constraint", LOCKS["runtime"]] if name == "tests" else []
    subprocess.run([uv, *recipe[1].split(), *more, "--output-file", LOCKS[name]], cwd=tmp_path, check=True)
    assert (tmp_path / LOCKS[name]).read_text() == (repository / LOCKS[name]).read_text()

"""The bootstrap: nothing but Python needed, nothing but the locks installed, one command never undoes another."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from core import bootstrap
from core.bootstrap import LOCKS, PIP, Environment
from tests.platform.uv import find_uv

STARTERS = ("core/bootstrap.py", "dashboard/__main__.py", "tests/__main__.py")
PROBE = """
import importlib.util, json, sys
from core import bootstrap
bootstrap.ensure({command!r}, sys.argv[1:])
here = [name for name in ("one", "two") if importlib.util.find_spec(name)]
print(json.dumps([sys.prefix, sys.argv[1:], here]))
"""


# What it needs


@pytest.mark.parametrize("file", STARTERS)
def test_starters_import_only_python_itself_and_us(repository: Path, file: str) -> None:
    tree = ast.parse((repository / file).read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    tops = {name.partition(".")[0] for name in imported}
    assert tops - sys.stdlib_module_names <= ({"core", "dashboard", "tests"} if file != "core/bootstrap.py" else set())


def test_packages_that_come_before_it_run_nothing(repository: Path) -> None:
    for package in ("core", "dashboard", "tests"):
        tree = ast.parse((repository / package / "__init__.py").read_text(encoding="utf-8"))
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in tree.body), package


def test_it_names_no_index(repository: Path) -> None:
    assert "://" not in (repository / "core" / "bootstrap.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["dashboard", "tests"])
def test_an_older_python_gets_a_sentence(repository: Path, command: str) -> None:
    older = "import sys, runpy; sys.version_info = (3, 9, 1); sys.argv = ['x']; "
    done = subprocess.run(
        [sys.executable, "-c", older + f"runpy.run_module({command!r}, run_name='__main__')"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Huntaze needs Python 3.11 or newer and this is 3.9. Try `python3.12 -m {command}`.\n"


def test_containers_may_bring_their_own_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUNTAZE_NO_VENV", "1")
    bootstrap.ensure("tests", [])  # otherwise this would not return: no stamp would fit, or another process go on


# The stamp


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment without packages, of a root with two small locks."""
    for name, file in LOCKS.items():
        (tmp_path / file).write_text(f"{name}\n")
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(tmp_path / ".venv")
    return Environment(tmp_path)


TAG = str(sys.implementation.cache_tag)


def served(environment: Environment) -> list[str]:
    return [name for name in LOCKS if environment.serves(name)]


@pytest.mark.parametrize(("made_from", "serves"), [("runtime", ["runtime"]), ("tests", ["runtime", "tests"])])
def test_a_larger_lock_serves_the_smaller_command(environment: Environment, made_from: str, serves: list[str]) -> None:
    environment.stamp.write_text(environment.stamp_for(made_from, TAG))
    assert served(environment) == serves


@pytest.mark.parametrize("stamp", [None, "", "tests", "tests x y z", f"nonsense {TAG} 00", f"tests {TAG} 00"])
def test_a_missing_or_torn_stamp_serves_nothing(environment: Environment, stamp: str | None) -> None:
    if stamp is not None:
        environment.stamp.write_text(stamp)
    assert served(environment) == []


def test_a_changed_lock_serves_nothing(environment: Environment) -> None:
    environment.stamp.write_text(environment.stamp_for("tests", TAG))
    (environment.root / LOCKS["runtime"]).write_text("changed\n")
    assert served(environment) == ["runtime", "tests"], "the environment was made from the other lock"
    (environment.root / LOCKS["tests"]).write_text("changed\n")
    assert served(environment) == []


def test_another_or_a_broken_python_serves_nothing(environment: Environment) -> None:
    environment.stamp.write_text(environment.stamp_for("tests", "cpython-999"))
    assert served(environment) == []
    environment.stamp.write_text(environment.stamp_for("tests", TAG))
    assert served(environment) == ["runtime", "tests"]
    environment.python.unlink()
    assert served(environment) == []


# What it installs: two packages of our own making, from a folder, without the network


def make_wheel(folder: Path, name: str, number: str) -> str:
    """A package of one empty module. Returns its line for a lock."""
    facts = f"{name}-{number}.dist-info"
    path = folder / f"{name}-{number}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
        wheel.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{facts}/RECORD", f"{name}.py,,\n{facts}/METADATA,,\n{facts}/WHEEL,,\n{facts}/RECORD,,\n")
    return f"{name}=={number} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture(params=["uv", "pip"])
def root(request: pytest.FixtureRequest, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with the bootstrap, the vendored pip, and locks of packages from a folder; with uv and without."""
    root, wheels = tmp_path / "root", tmp_path / "wheels"
    wheels.mkdir()
    shutil.copytree(repository / "vendor", root / "vendor")
    (root / "core").mkdir()
    shutil.copy(repository / "core" / "bootstrap.py", root / "core")
    for command in ("probe", "tests"):
        (root / command).mkdir()
        (root / command / "__main__.py").write_text(PROBE.format(command=command))
    one, two = make_wheel(wheels, "one", "1.0"), make_wheel(wheels, "two", "1.0")
    (root / LOCKS["runtime"]).write_text(one)
    (root / LOCKS["tests"]).write_text(one + two)
    (root / "requirements-uv.txt").write_text("uv==0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    if request.param == "uv":
        (root / "requirements-uv.txt").write_text(wheel_of_uv(wheels, find_uv(repository)))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("HUNTAZE_NO_VENV", raising=False)
    return root


def wheel_of_uv(wheels: Path, program: Path) -> str:
    """The uv that is here as a package of ours, so that installing it needs no network either."""
    path = wheels / "uv-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        entry = zipfile.ZipInfo("uv-0.data/scripts/uv")
        entry.external_attr = 0o100755 << 16
        wheel.writestr(entry, program.read_bytes())
        wheel.writestr("uv-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0\n")
        wheel.writestr("uv-0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("uv-0.dist-info/RECORD", "uv-0.dist-info/RECORD,,\n")
    return f"uv==0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def start(root: Path, command: str = "probe", *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", command, *words], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(root: Path, command: str = "probe", *words: str) -> tuple[int, str, str]:
    with start(root, command, *words) as process:
        said, complained = process.communicate(timeout=120)
    return process.returncode, said, complained


def has(root: Path, *names: str, words: tuple[str, ...] = ()) -> str:
    """What a probe says that runs in the root's environment, was given these words and can import these modules."""
    return json.dumps([str(root / ".venv"), words, names]) + "\n"


def test_each_command_gets_what_it_needs_and_takes_nothing_away(root: Path, request: pytest.FixtureRequest) -> None:
    code, said, complained = run(root, "probe", "--a", "b c")
    assert (code, said) == (0, has(root, "one", words=("--a", "b c"))), complained
    assert complained.startswith("Making a Python environment in .venv")
    assert ("uv could not" in complained) is (request.node.callspec.params["root"] == "pip")
    assert run(root) == (0, has(root, "one"), ""), "the second start has nothing to say"
    assert run(root, "tests")[:2] == (0, has(root, "one", "two"))
    assert run(root) == (0, has(root, "one", "two"), "")
    (root / LOCKS["tests"]).write_text((root / LOCKS["tests"]).read_text() + "\n")
    code, said, complained = run(root)
    assert (code, said) == (0, has(root, "one", "two")), "what is there for the tests is kept"
    assert "Installing what requirements-test.txt lists." in complained


def test_a_package_that_was_tampered_with_is_refused(root: Path, tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "one", "1.0")
    with zipfile.ZipFile(tmp_path / "wheels" / "one-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("more.py", "")
    code, said, complained = run(root)
    assert (code, said) == (1, "")
    assert complained.endswith("start this again.\n")
    assert "Traceback" not in complained
    assert not (root / ".venv" / ".lock-hash").exists()


def test_another_pip_than_ours_is_refused(root: Path) -> None:
    (root / "vendor" / PIP).write_bytes(b"not it")
    code, _, complained = run(root)
    assert code == 1
    assert complained.endswith("is not the file that belongs there. Restore it from the repository.\n")


def test_two_at_once_make_one_environment(root: Path) -> None:
    with start(root) as first, start(root) as second:
        outcomes = [process.communicate(timeout=120) for process in (first, second)]
    assert [said for said, _ in outcomes] == [has(root, "one")] * 2
    assert sum("Making a Python environment" in complained for _, complained in outcomes) == 1


def test_an_interrupted_making_is_taken_up_again(root: Path) -> None:
    with start(root) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.kill()
    assert run(root)[:2] == (0, has(root, "one"))


# All of it, with the real locks


BARE = """
import runpy, sys
sys.modules["ensurepip"] = sys.modules["pip"] = None  # a system's Python without python3-venv and python3-pip
command, sys.argv = sys.argv[1], sys.argv[1:]
sys.path.insert(0, "")
runpy.run_module(command, run_name="__main__", alter_sys=True)
"""


@pytest.mark.heavy
def test_a_fresh_clone_on_a_bare_python(repository: Path, tmp_path: Path) -> None:
    """Needs an index of packages. Both commands from nothing, then again."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(clone)], check=True)
    python = Path(getattr(sys, "_base_executable", sys.executable))
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    for command, words, made in (
        ("dashboard", ["--help"], True),
        ("dashboard", ["--help"], False),
        ("tests", ["--only", "format"], True),
        ("dashboard", ["--help"], False),
        ("tests", ["--only", "format"], False),
    ):
        done = subprocess.run(
            [python, "-I", "-c", BARE, command, *words],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert ("The environment is ready after" in done.stderr) is made
        assert done.stdout.startswith("usage: python3 -m dashboard") or done.stdout.endswith("1 passed, 0 failed\n")

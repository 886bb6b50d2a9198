"""What must never be in the repository, and shapes of code that must not come back."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

SECRETS = re.compile(
    r"(sk|rk)_live_[0-9a-zA-Z]{8}|whsec_[0-9a-zA-Z+/]{24}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\beyJ[0-9A-Za-z_-]{20,}\.|xox[bp]-\d"
)
MACHINE = re.compile(
    r"/(?:root|home/[a-z]+|Users/[a-z]+)/|/work/(?:main|shared)|files\.python" + r"hosted|py" + r"pi\.org"
)
MONEY = ("core/money.py", "core/earnings", "core/billing")
NO_MONEY_IN = {
    "sample.py": "weights of invented sales",
    "stripe_client.py": "seconds to wait",
    "signature.py": "seconds",
}


@pytest.fixture(scope="session")
def tracked(repository: Path) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [repository / name for name in names.split("\0") if name and (repository / name).is_file()]


def _text(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:4096] else content.decode("utf-8")


def test_no_secret_is_in_the_repository(tracked: list[Path]) -> None:
    assert [path.name for path in tracked if SECRETS.search(_text(path))] == []


def test_no_machine_and_no_package_index_is_named(tracked: list[Path]) -> None:
    mine = Path(__file__).name
    assert [path.name for path in tracked if path.name != mine and MACHINE.search(_text(path))] == []


def test_streamlit_finds_no_pages_of_its_own(repository: Path) -> None:
    """Scripts in `pages` beside the entry script can be opened before it has asked who is there."""
    assert not (repository / "dashboard" / "pages").exists()


def test_no_float_holds_money(repository: Path) -> None:
    """Shares and durations may be floats; nothing in the code that moves amounts may."""
    found = []
    for place in MONEY:
        path = repository / place
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            for node in () if file.name in NO_MONEY_IN else ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name) and node.id == "float":
                    found.append(f"{file.name}:{node.lineno}")
    assert found == []


def test_no_failure_is_swallowed_by_a_script(repository: Path, tracked: list[Path]) -> None:
    scripts = [
        path
        for path in tracked
        if path.suffix in {".sh", ".yml", ".yaml"} or path.name in {"Makefile", "run", "Dockerfile"}
    ]
    assert [path.name for path in scripts if re.search(r"\|\|\s*(true|:)", _text(path))] == []


def test_nothing_is_left_unfinished(tracked: list[Path]) -> None:
    marks = re.compile("TO" + "DO|FIX" + "ME|Not" + "ImplementedError|pytest" + r"\.mark\.(skip\b|xfail)")
    assert [path.name for path in tracked if path.suffix == ".py" and marks.search(_text(path))] == []


def test_one_module_imports_each_vendor(repository: Path) -> None:
    allowed = {
        "stripe": {str(file.relative_to(repository)) for file in (repository / "core/billing").glob("stripe_*.py")},
        "openai": {"core/ai/openai_gateway.py"},
        "anthropic": {"core/ai/anthropic_gateway.py"},
    }
    for vendor, modules in allowed.items():
        importers = {
            str(file.relative_to(repository))
            for folder in ("core", "dashboard", "pages")
            for file in (repository / folder).rglob("*.py")
            if vendor in _imported(file)
        }
        assert importers <= modules, vendor


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names

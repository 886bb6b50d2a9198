"""The uv that the bootstrap put into this environment, or one that is on the machine anyway."""

import shutil
from pathlib import Path

import pytest


def find_uv(repository: Path) -> Path:
    for found in (repository / ".venv" / "uv" / "bin" / "uv", shutil.which("uv")):
        if found and Path(found).exists():
            return Path(found)
    pytest.skip("no uv here: this environment was not made by the bootstrap")

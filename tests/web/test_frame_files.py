"""What must hold of the files around Streamlit for the gate to mean anything."""

import os
import subprocess
import sys
from pathlib import Path


def test_there_is_no_folder_that_streamlit_takes_for_pages(repository: Path) -> None:
    """Scripts in it would run for anybody on a fresh server, before the entry script has a say."""
    assert not (repository / "dashboard" / "pages").exists()
    assert not (repository / "tests" / "web" / "playground" / "pages").exists()


def test_a_server_that_does_not_find_its_settings_does_not_start(repository: Path, tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", "import dashboard.asgi"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(repository), "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode != 0
    assert "config.toml" in made.stderr

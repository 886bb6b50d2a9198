"""Make the environment that the commands run in, with nothing but Python itself, then go on inside it.

Only the standard library: this runs before anything is installed, and on machines whose Python has neither pip nor
ensurepip. What is installed is exactly what the locks name, hash by hash. No index is named here: whatever pip or uv
are configured to use on the machine is used.
"""

from __future__ import annotations  # an older Python must get as far as the sentence that it is too old

import ast
import hashlib
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)

LOCKS = {"runtime": "requirements.txt", "tests": "requirements-test.txt"}
"""Each lock contains those before it, so an environment made for the last one serves all."""

PIP = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
_PINNED = ("--require-hashes", "--only-binary", ":all:")

_PIP_TO_UV = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", " "),
    "cert": ("SSL_CERT_FILE", " "),
}
"""Where pip is told to look, and the variable that tells uv the same, with what parts its items."""


def ensure(command: str, arguments: Sequence[str]) -> None:
    """Return once this process runs inside a current environment.

    Elsewhere it does not return: `python -m command arguments` goes on inside. HUNTAZE_NO_VENV=1 says that the packages
    are there already, as in a container.
    """
    if sys.version_info < OLDEST:
        here = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Huntaze needs Python 3.11 or newer and this is {here}. Try `python3.12 -m {command}`.")
    if os.environ.get("HUNTAZE_NO_VENV") == "1":
        return
    environment, wanted = Environment(ROOT), "tests" if command == "tests" else "runtime"
    if not environment.serves(wanted):
        try:
            with _alone(ROOT / ".venv.lock"):
                if not environment.serves(wanted):
                    environment.make(wanted)
        except PermissionError as refused:
            sys.exit(f"{refused.filename} cannot be written. Start this as the user who owns {ROOT}.")
    if not environment.is_ours:
        _go_on_inside(environment.python, command, arguments)


class Environment:
    """The folder `.venv` under a root, and its stamp: which lock it was made from, for which Python."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.stamp = self.folder / ".lock-hash"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def is_ours(self) -> bool:
        """Whether this process runs inside it."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def serves(self, wanted: str) -> bool:
        """Whether it was made from a lock as that is now, which contains the wanted one, and its Python still runs."""
        made_from, tag = self._recorded()
        names = list(LOCKS)
        return (
            made_from in names[names.index(wanted) :]
            and self.stamp.read_text(encoding="ascii") == self.stamp_for(made_from, tag)
            and self._tag() == tag
        )

    def stamp_for(self, lock: str, tag: str) -> str:
        content = (self.root / LOCKS[lock]).read_bytes() + tag.encode()
        return f"{lock} {tag} {hashlib.sha256(content).hexdigest()}"

    def make(self, wanted: str) -> None:
        """Bring it to the wanted lock. What it already holds for the tests, it keeps."""
        began = time.monotonic()
        made_from, tag = self._recorded()
        lock = "tests" if "tests" in (made_from, wanted) else wanted
        self.stamp.unlink(missing_ok=True)
        if self._tag() is None or (tag and self._tag() != tag):
            _say("Making a Python environment in .venv; the first time takes about a minute.")
            _create(self.folder)
        _say(f"Installing what {LOCKS[lock]} lists.")
        Installer(self).install(self.root / LOCKS[lock])
        fresh = self.stamp.with_suffix(".new")
        fresh.write_text(self.stamp_for(lock, self._tag() or ""), encoding="ascii")
        fresh.replace(self.stamp)
        _say(f"The environment is ready after {time.monotonic() - began:.0f} s.")

    def _recorded(self) -> tuple[str, str]:
        try:
            lock, tag, _ = self.stamp.read_text(encoding="ascii").split(" ")
        except (OSError, ValueError):
            return "", ""
        return lock, tag

    def _tag(self) -> str | None:
        """Which Python it runs, such as cpython-311. None when it does not run at all."""
        if self.is_ours:
            return sys.implementation.cache_tag
        question = "import sys; print(sys.implementation.cache_tag)"
        try:
            asked = subprocess.run([self.python, "-ISc", question], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return asked.stdout.strip()


class Installer:
    """Puts exactly a lock's packages into an environment: with uv, or with pip where uv cannot."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._wheel = environment.root / "vendor" / PIP
        if hashlib.sha256(self._wheel.read_bytes()).hexdigest() != PIP_SHA256:
            sys.exit(f"{self._wheel} is not the file that belongs there. Restore it from the repository.")

    def install(self, lock: Path) -> None:
        if self._with_uv(lock):
            return
        _say("uv could not install them. Trying pip, which takes a few minutes.")
        if self._pip("install", "-qq", *_PINNED, "--no-deps", "-r", lock).returncode != 0:
            sys.exit("The packages could not be installed. Check the network or pip's settings, and start this again.")

    def _with_uv(self, lock: Path) -> bool:
        uv = self._uv()
        if uv is None:
            return False
        sync: list[str | Path] = [uv, "pip", "sync", "--quiet", *_PINNED, "--python", self._environment.python, lock]
        try:
            return subprocess.run(sync, check=False, cwd=lock.parent, env=self._uv_settings()).returncode == 0
        except OSError:  # there is one, but this machine cannot run it
            return False

    def _uv(self) -> Path | None:
        """uv, in a folder of its own: in the environment itself its own sync would remove it."""
        lock, home = self._environment.root / "requirements-uv.txt", self._environment.folder / "uv"
        program = home / "bin" / ("uv.exe" if os.name == "nt" else "uv")
        made_from, content = home / ".lock", lock.read_bytes()
        if program.exists() and made_from.exists() and made_from.read_bytes() == content:
            return program
        if self._pip("install", "-qq", *_PINNED, "--upgrade", "--target", home, "-r", lock).returncode != 0:
            return None
        made_from.write_bytes(content)
        return program

    def _pip(self, *words: str | Path, ask: bool = False) -> subprocess.CompletedProcess[str]:
        ours = {
            "PIP_USER": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
        }
        return subprocess.run(
            [self._environment.python, "-I", self._wheel / "pip", *words],
            check=False,
            stdout=subprocess.PIPE if ask else sys.stderr,
            text=True,
            env=os.environ | ours,
        )

    def _uv_settings(self) -> dict[str, str]:
        """This machine's settings of pip, told to uv. What was set for uv itself stands."""
        settings = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never"}
        lines = self._pip("config", "list", ask=True).stdout.splitlines()
        for line in sorted(lines, key=lambda line: line.startswith(":env:")):  # a variable outweighs a file
            name, _, value = line.partition("=")
            variable, between = _PIP_TO_UV.get(name.rpartition(".")[2], ("", ""))
            if variable and variable not in os.environ:
                settings[variable] = between.join(str(ast.literal_eval(value)).split())
        return os.environ | settings


def _create(folder: Path) -> None:
    try:
        import venv
    except ImportError:
        sys.exit("This Python comes without its standard module venv. Install your system's full Python 3 package.")
    venv.EnvBuilder(with_pip=False, clear=True, symlinks=os.name != "nt").create(folder)


def _go_on_inside(python: Path, command: str, arguments: Sequence[str]) -> NoReturn:
    words = [str(python), "-m", command, *arguments]
    os.environ.pop("__PYVENV_LAUNCHER__", None)  # macOS: it would tell the new interpreter that it is the old one
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(words[0], words)  # noqa: S606
    child = subprocess.Popen(words)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:  # the child got it too, and ends in its own time
            continue


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the system lets go of the lock however this one ends."""
    with path.open("a+", encoding="ascii") as file:
        if not _lock(file.fileno(), wait=False):
            _say("Another command is making the environment; waiting for it.")
            _lock(file.fileno(), wait=True)
        yield


def _lock(number: int, *, wait: bool) -> bool:
    if os.name == "nt":
        import msvcrt

        while True:
            try:
                msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            except OSError:
                if not wait:
                    return False
                time.sleep(0.2)
            else:
                return True
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)

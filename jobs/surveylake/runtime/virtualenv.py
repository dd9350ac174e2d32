"""The virtual environment of a checkout, created from the hash-locked requirements, and again when they or Python change.

    PYTHONPATH=jobs python3 -m surveylake.runtime.virtualenv [--dev]      the first step of `make setup`

Standard library only, since nothing else is installed yet.
"""

import hashlib
import importlib.util
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from surveylake.errors import SetupError, SurveylakeError
from surveylake.locks import FileLock
from surveylake.paths import ELSEWHERE, ROOT, VAR, may_write
from surveylake.runtime.java import ensure_java

SUPPORTED = ((3, 11), (3, 13))
"""First and last version of Python that the locks were resolved for."""
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
BUILD_LOCK = "requirements-build.lock"
PIP = (
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
    "--require-hashes",
    "--only-binary",
    ":all:",
)
"""Wheels only, each with its hash; pyspark, a source distribution, is built with the packages of BUILD_LOCK."""


def ensure_environment(root: Path, log: Path, dev: bool = False) -> bool:
    """Install the locked packages into ROOT/.venv; `dev` adds those of the tests. Returns whether anything was installed.

    An environment without its stamp (of an interrupted set-up), of another Python or of another lock is created again.
    Raises SetupError with the end of `log`.
    """
    wanted = "dev" if dev else "runtime"
    stamps = {kind: _stamp(root, kind) for kind in LOCKS}
    keys = {kind: _key(root, kind) for kind in LOCKS}
    good = {
        kind for kind in LOCKS if stamps[kind].is_file() and stamps[kind].read_text("utf-8") == keys[kind]
    }
    if wanted in good:
        return False
    if not may_write(root / ".venv"):
        raise SetupError(
            f"{root / '.venv'} is not there, or not of this Python and of these packages, and this user may not write it",
            "Have whoever owns the checkout run: make setup. Or copy the checkout to a folder of your own.",
        )
    print("setting up (about 2 minutes, once)", file=sys.stderr, flush=True)
    pip = [str(root / ".venv" / "bin" / "python"), "-m", "pip", *PIP]
    if "runtime" not in good or stamps[wanted].exists():
        _make(root, log)
        _run([*pip, "-r", str(root / BUILD_LOCK)], log, "installing what builds pyspark")
    _run([*pip, "--no-binary", "pyspark", "--no-build-isolation", "-r", str(root / LOCKS[wanted])], log,
         f"installing {LOCKS[wanted]}")  # fmt: skip
    # Last, so that an interrupted set-up leaves no stamp and begins again.
    for kind in {"runtime", wanted}:
        stamps[kind].write_text(keys[kind], "utf-8")
    return True


def _stamp(root: Path, kind: str) -> Path:
    return root / ".venv" / f".surveylake-{kind}"


def _key(root: Path, kind: str) -> str:
    """Return a hash of an environment's inputs: its Python, and the locks' content (not their dates)."""
    digest = hashlib.sha256(f"{_base_python()} {sys.version}".encode())
    # The tests' environment includes the runtime's, and is created again when either lock changes.
    for name in (BUILD_LOCK, *(LOCKS.values() if kind == "dev" else [LOCKS[kind]])):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def _base_python() -> str:
    """Return the path of the Python itself, also when this one is an environment's link to it."""
    return os.path.realpath(sys.executable)


def _make(root: Path, log: Path) -> None:
    """Create an empty environment. Raises SetupError without ensurepip, which Debian and Ubuntu package separately."""
    if importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sudo = "" if os.geteuid() == 0 else "sudo "
        raise SetupError(
            f"{_base_python()} cannot make a virtual environment: its module ensurepip is missing",
            f"run: {sudo}apt-get install -y python{version}-venv",
        )
    _run([_base_python(), "-m", "venv", "--clear", str(root / ".venv")], log, "making .venv")


def _run(command: list[str], log: Path, doing: str) -> None:
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if process.returncode:
        end = "\n".join(f"    {line}" for line in log.read_text("utf-8", "replace").splitlines()[-8:])
        raise SetupError(f"{doing} failed:\n{end}", f"the whole log is {log}; then run: make setup")


def main(arguments: list[str]) -> int:
    """Set up Java, then the environment, one process at a time. Returns the exit code."""
    try:
        if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
            raise SetupError(
                f"Python 3.11 to 3.13 is needed; this is {sys.version.split()[0]}", "make PYTHON=python3.11"
            )
        if os.pathsep in str(ROOT):
            raise SetupError(
                f"the path {ROOT} has a '{os.pathsep}', at which Java and Python cut their lists of folders",
                f"Move or copy the project to a folder without '{os.pathsep}' in its path.",
            )
        ensure_java()
        begun = time.monotonic()
        (VAR / "log").mkdir(parents=True, exist_ok=True)
        with FileLock(VAR / "setup.lock", wait_seconds=math.inf):
            if ensure_environment(ROOT, VAR / "log" / "setup.log", "--dev" in arguments):
                print(f"set up in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    except SurveylakeError as error:
        print(f"error: {error.message}\n  next: {error.hint}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(
            f"error: {error}\n  next: make setup writes {ROOT / '.venv'} and {VAR}. {ELSEWHERE}",
            file=sys.stderr,
        )
        return SetupError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

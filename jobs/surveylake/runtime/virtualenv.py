"""The virtual environment of a checkout: made from the hash-locked requirements, remade when they or Python change.

    PYTHONPATH=jobs python3 -m surveylake.runtime.virtualenv [--dev]      what `make setup` runs first

Standard library only, for it runs before there is anything else.
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
"""First and last Python the locks were resolved for."""
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
"""Wheels only, each with its hash; pyspark, which comes as source, is built by what BUILD_LOCK installed before."""


def ensure_environment(root: Path, log: Path, dev: bool = False) -> bool:
    """Make ROOT/.venv hold the locked packages; `dev` adds the tests'. Returns whether anything had to be done.

    An environment without its stamp (a set-up that was cut off), of another Python or of another lock is made anew.
    Raises SetupError, with the end of `log`.
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
    # Last, so that a set-up that is cut off leaves no stamp and begins again.
    for kind in {"runtime", wanted}:
        stamps[kind].write_text(keys[kind], "utf-8")
    return True


def _stamp(root: Path, kind: str) -> Path:
    return root / ".venv" / f".surveylake-{kind}"


def _key(root: Path, kind: str) -> str:
    """What an environment depends on: the Python it was made from and the locks' content (not their dates)."""
    digest = hashlib.sha256(f"{_base_python()} {sys.version}".encode())
    # The tests' environment is the runtime's too, and goes when either lock changes.
    for name in (BUILD_LOCK, *(LOCKS.values() if kind == "dev" else [LOCKS[kind]])):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def _base_python() -> str:
    """The Python itself, also when the one that runs is an environment's link to it."""
    return os.path.realpath(sys.executable)


def _make(root: Path, log: Path) -> None:
    """A new, empty environment. Debian and Ubuntu keep what this needs in a package of its own."""
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
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if done.returncode:
        end = "\n".join(f"    {line}" for line in log.read_text("utf-8", "replace").splitlines()[-8:])
        raise SetupError(f"{doing} failed:\n{end}", f"the whole log is {log}; then run: make setup")


def main(arguments: list[str]) -> int:
    """Java, then the environment; one set-up at a time. Prints one line when something was done."""
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

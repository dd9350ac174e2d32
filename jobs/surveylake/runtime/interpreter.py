"""Is this the Python that the jobs are meant for? Asked before anything else is imported. Standard library only."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from surveylake.errors import SetupError
from surveylake.paths import JOBS, ROOT
from surveylake.runtime import foreign_settings, process_log

NEEDED = ("confluent_kafka", "pydantic", "pyspark")
ALONE = ("jars",)
"""Verbs that any Python runs."""


def require() -> None:
    """End the process with one line, and what to do, when it runs a job and lacks what jobs need.

    From then on a job that fails before its own arguments are read says so in one line too.
    """
    job = Path(sys.argv[0] if sys.argv else "")
    if job.suffix != ".py" or job.resolve().parent != JOBS or job.stem in ALONE:
        return
    sys.excepthook = tell
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        print(f"error: this Python, {sys.executable}, lacks {', '.join(missing)}", file=sys.stderr)
        print(f"  next: {_hint(job)}", file=sys.stderr)
        raise SystemExit(SetupError.exit_code)


def tell(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """Python's last word about a job that could not be loaded: one line, and the file that has the trace."""
    if issubclass(kind, KeyboardInterrupt):
        print("stopped by Ctrl-C", file=sys.stderr)
        return
    print(f"error: {kind.__name__}: {error}", file=sys.stderr)
    print(
        f"  next: {_hint(Path(sys.argv[0]))} The full trace is in {process_log.keep_trace(error)}",
        file=sys.stderr,
    )


def _hint(job: Path) -> str:
    ours = f"Run {ROOT / '.venv/bin/python'} {job}, which `make setup` makes."
    return f"{foreign_settings.named(foreign_settings.PYTHON)} {ours}".strip()

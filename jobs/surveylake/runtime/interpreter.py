"""Check that this Python has the packages that jobs need, before any is imported. Standard library only."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from surveylake.errors import SetupError
from surveylake.paths import JOBS, ROOT
from surveylake.runtime import foreign_settings, process_log

NEEDED = ("confluent_kafka", "pydantic", "pyspark")
ALONE = ("jars",)
"""Verbs that need the standard library only."""


def require() -> None:
    """Exit with an error and a hint when this Python runs a job and lacks packages.

    From then on a job whose import fails prints an error and a hint too, in place of a trace.
    """
    job = Path(sys.argv[0] if sys.argv else "")
    if job.suffix != ".py" or job.resolve().parent != JOBS or job.stem in ALONE:
        return
    sys.excepthook = report
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        print(f"error: this Python, {sys.executable}, lacks {', '.join(missing)}", file=sys.stderr)
        print(f"  next: {_hint(job)}", file=sys.stderr)
        raise SystemExit(SetupError.exit_code)


def report(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """Print the error of a job that could not be loaded, and write its trace to the log file; an excepthook."""
    if issubclass(kind, KeyboardInterrupt):
        print("stopped by Ctrl-C", file=sys.stderr)
        return
    print(f"error: {kind.__name__}: {error}", file=sys.stderr)
    print(
        f"  next: {_hint(Path(sys.argv[0]))} The full trace is in {process_log.write_trace(error)}",
        file=sys.stderr,
    )


def _hint(job: Path) -> str:
    ours = f"Run {ROOT / '.venv/bin/python'} {job}, which `make setup` makes."
    return f"{foreign_settings.unset_hint(foreign_settings.PYTHON)} {ours}".strip()

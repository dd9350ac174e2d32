"""What every verb does alike: errors for people, exit codes, the last resort for what nobody expected."""

import argparse
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from surveylake import signals
from surveylake.errors import ConfigError, SurveylakeError
from surveylake.paths import CONF
from surveylake.runtime import foreign_settings, java_exit, process_log
from surveylake.wording import printable

ANOTHER_LAKE = "Give another folder with --lake (LAKE=)."
INTERRUPTED, TERMINATED = 130, 143
"""Exit codes as the shell has them: 128 and the signal's number."""


class Verb(Protocol):
    """A verb's main: arguments in (the process's own by default), exit code out."""

    def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def command(main: Callable[[Sequence[str] | None], int]) -> Verb:
    """Wrap a verb's main: known errors print what, and what next, and set the exit code; others leave a full trace in a file."""

    @functools.wraps(main)
    def run(argv: Sequence[str] | None = None) -> int:
        process_log.listen()
        _print_what_can_be_printed()
        try:
            with _signals():
                return main(argv)
        except KeyboardInterrupt as error:
            by_signal = isinstance(error, signals.Terminated)
            print(f"stopped by {'SIGTERM' if by_signal else 'Ctrl-C'}", file=sys.stderr)
            return TERMINATED if by_signal else INTERRUPTED
        except Exception as error:
            return _told(error)

    return run


def _told(error: Exception) -> int:
    """Say what happened and what to do next, in one line each. Returns the exit code."""
    known = java_exit.explained(error) or error
    if known is not error or not isinstance(error, SurveylakeError):
        trace = process_log.keep_trace(error)
    if isinstance(known, SurveylakeError):
        what, hint, code = known.message, known.hint, known.exit_code
    else:
        what, code = _first_line(error), 1
        hint = f"this was not foreseen; the full trace is in {trace}. {foreign_settings.named(foreign_settings.PYTHON)}".rstrip(
            " ."
        )
    print(f"error: {printable(what)}", file=sys.stderr)
    if hint:
        print(f"  next: {printable(hint)}", file=sys.stderr)
    return code


@contextmanager
def _signals() -> Iterator[None]:
    """While a verb runs, SIGTERM breaks it off as Ctrl-C does: locks are let go, children ended, and a line says so."""
    signals.forget()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A signal that was switched off for this process, as a shell does for what it starts in the background, stays so.
    heard = [
        number for number in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(number) != signal.SIG_IGN
    ]
    earlier = {number: signal.signal(number, signals.break_off) for number in heard}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _print_what_can_be_printed() -> None:
    """A terminal that is not UTF-8 shows letters it does not have by their numbers; it is no reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def survey_parser(verb: str, does: str, examples: str, lake: bool = True) -> argparse.ArgumentParser:
    """The arguments that verbs share: --survey, --conf and, with `lake`, --lake."""
    parser = argparse.ArgumentParser(
        prog=f"jobs/{verb}.py", description=does, epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    default = CONF / "surveys" / "food_preference.toml"
    parser.add_argument(
        "--survey", type=Path, default=default, metavar="TOML", help="contract (default: %(default)s)"
    )
    parser.add_argument("--conf", type=Path, metavar="TOML", help="configuration (default: conf/local.toml)")
    if lake:
        parser.add_argument(
            "--lake",
            type=lake_folder,
            default="lake",
            metavar="DIR",
            help="folder of the Delta tables (default: %(default)s)",
        )
    return parser


def lake_folder(folder: str) -> str:
    """What is given as --lake, as it is; ConfigError before anything is done when it cannot be a lake."""
    absolute(folder)
    return folder


def _first_line(error: BaseException) -> str:
    # Where Python's side of Spark only says that a call failed, its Java cause says why.
    said = getattr(error, "java_exception", None) or error
    lines = str(said).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def absolute(folder: str) -> str:
    """A local folder as an absolute path (Spark's own working directory may be another); a URI as it is.

    Raises ConfigError for a folder that Delta could not name.
    """
    if "://" in folder:
        return folder
    try:
        path = str(Path(folder).expanduser().resolve())
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{folder} leads nowhere: {error}", ANOTHER_LAKE) from error
    if "`" in path:
        raise ConfigError(f"the lake {path} has a '`' in its path, which Delta cannot read", ANOTHER_LAKE)
    return path

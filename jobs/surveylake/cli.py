"""Command line: shared arguments, errors as two lines, exit codes."""

import argparse
import functools
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from surveylake import signals
from surveylake.errors import ConfigError, SurveylakeError
from surveylake.paths import CONF, is_local, without_scheme
from surveylake.runtime import foreign_settings, java_exit, process_log
from surveylake.wording import first_line_with_class, printable

ANOTHER_LAKE = "Give another folder with --lake (LAKE=)."
INTERRUPTED, TERMINATED, READER_GONE = 130, 143, 141
"""Exit codes as the shell has them: 128 and the signal's number."""


class Verb(Protocol):
    """A verb's main: arguments in (the process's own by default), exit code out."""

    def __call__(self, argv: Sequence[str] | None = None) -> int: ...


def command(main: Callable[[Sequence[str] | None], int]) -> Verb:
    """Wrap a verb's main: an error prints its message and its hint, and sets the exit code; an unforeseen one leaves a trace."""

    @functools.wraps(main)
    def run(argv: Sequence[str] | None = None) -> int:
        process_log.configure()
        _escape_unprintable()
        try:
            with _signals():
                code = main(argv)
                sys.stdout.flush()
                return code
        except KeyboardInterrupt as error:
            by_signal = isinstance(error, signals.Terminated)
            print(f"stopped by {'SIGTERM' if by_signal else 'Ctrl-C'}", file=sys.stderr)
            return TERMINATED if by_signal else INTERRUPTED
        except BrokenPipeError as error:
            return READER_GONE if _reader_is_gone() else _report(error)
        except Exception as error:
            return _report(error)

    return run


def _reader_is_gone() -> bool:
    """Return whether nobody reads what this process prints, as after `| head`; what is left of it is then dropped."""
    try:
        printed_to = sys.stdout.fileno()
    except OSError:  # a test's
        return False
    pipe = select.poll()
    pipe.register(printed_to, 0)  # an error is told in any case
    if not any(event & select.POLLERR for _, event in pipe.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), printed_to)
    return True


def _report(error: Exception) -> int:
    """Print an error's message and its hint, a line each. Returns the exit code."""
    known = java_exit.as_java_error(error) or error
    if known is not error or not isinstance(error, SurveylakeError):
        trace = process_log.write_trace(error)
    if isinstance(known, SurveylakeError):
        message, hint, code = known.message, known.hint, known.exit_code
    else:
        message, code = f"{type(error).__name__}: {first_line_with_class(error)}", 1
        theirs = foreign_settings.unset_hint(foreign_settings.PYTHON)
        hint = f"this was not foreseen; the full trace is in {trace}. {theirs}".rstrip(" .")
    print(f"error: {printable(message)}", file=sys.stderr)
    if hint:
        print(f"  next: {printable(hint)}", file=sys.stderr)
    return code


@contextmanager
def _signals() -> Iterator[None]:
    """Have SIGTERM interrupt a verb as Ctrl-C does, so that locks are released and children ended."""
    signals.reset()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A signal that is ignored in this process, as a shell has it for background jobs, stays ignored.
    numbers = [
        number for number in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(number) != signal.SIG_IGN
    ]
    previous = {number: signal.signal(number, signals.interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _escape_unprintable() -> None:
    """Have characters that the terminal's encoding lacks printed as escapes, where printing them would raise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def plain_parser(verb: str, description: str | None, examples: str) -> argparse.ArgumentParser:
    """Return the parser of jobs/VERB.py, without arguments; its help ends with the examples."""
    return argparse.ArgumentParser(
        prog=f"jobs/{verb}.py",
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def survey_parser(verb: str, description: str, examples: str, lake: bool = True) -> argparse.ArgumentParser:
    """Return a parser with --survey, --conf and, with `lake`, --lake."""
    parser = plain_parser(verb, description, examples)
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


def add_bootstrap(
    parser: argparse.ArgumentParser, text: str = "broker (default: from the configuration)"
) -> None:
    """Add --bootstrap and --insecure."""
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help=text)
    parser.add_argument(
        "--insecure",
        action="store_true",
        help="let answers cross a network unencrypted, where it is safe itself",
    )


def add_out(parser: argparse.ArgumentParser, text: str, default: str | None = None) -> None:
    """Add --out, the folder or URI of the exports."""
    parser.add_argument("--out", type=_out_folder, default=default, metavar="DIR", help=text)


def add_dry_run(parser: argparse.ArgumentParser, text: str = "print the plan, change nothing") -> None:
    """Add --dry-run."""
    parser.add_argument("--dry-run", action="store_true", help=text)


def _out_folder(folder: str) -> str:
    """Return --out without file://, and with the home folder for a `~` that no shell expanded."""
    return os.path.expanduser(without_scheme(folder))


def lake_folder(folder: str) -> str:
    """Return --lake without file://, and with the home folder for a `~` that no shell expanded, such as in `--lake=~/lake`.

    Raises ConfigError for a folder that cannot be a lake.
    """
    path = without_scheme(folder)
    absolute(path)
    return str(Path(path).expanduser()) if is_local(path) else path


def absolute(folder: str) -> str:
    """Return a local folder as an absolute path (Spark's own working directory may be another), a URI as it is.

    Raises ConfigError for a folder that Delta could not name.
    """
    if not is_local(folder):
        return folder
    try:
        path = str(Path(folder).expanduser().resolve())
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{folder} leads nowhere: {error}", ANOTHER_LAKE) from error
    if "`" in path:
        raise ConfigError(f"the lake {path} has a '`' in its path, which Delta cannot read", ANOTHER_LAKE)
    return path

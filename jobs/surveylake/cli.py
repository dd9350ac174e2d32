"""What every verb does alike: errors for people, exit codes, the last resort for what nobody expected."""

import argparse
import functools
import logging
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from surveylake.errors import SurveylakeError
from surveylake.project import CONF, VAR

Main = Callable[[Sequence[str] | None], int]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """Text from a message or a file made safe for a terminal: control and direction characters become '?'."""
    return CONTROL.sub("?", str(text))


def command(main: Main) -> Main:
    """Wrap a verb's main: known errors print what, and what next, and set the exit code; others leave a full trace in a file."""

    @functools.wraps(main)
    def run(argv: Sequence[str] | None = None) -> int:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        for talkative in ("py4j", "matplotlib"):
            logging.getLogger(talkative).setLevel(logging.WARNING)
        try:
            return main(argv)
        except SurveylakeError as error:
            print(f"error: {plain(error.message)}", file=sys.stderr)
            if error.hint:
                print(f"  next: {plain(error.hint)}", file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("stopped by Ctrl-C", file=sys.stderr)
            return 130
        except Exception as error:
            print(f"error: {plain(_first_line(error))}", file=sys.stderr)
            print(f"  next: this was not foreseen; the full trace is in {_keep_trace()}", file=sys.stderr)
            return 1

    return run


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
            "--lake", default="lake", metavar="DIR", help="folder of the Delta tables (default: %(default)s)"
        )
    return parser


def _first_line(error: BaseException) -> str:
    # Where Python's side of Spark only says that a call failed, its Java cause says why.
    said = getattr(error, "java_exception", None) or error
    lines = str(said).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def _keep_trace() -> str:
    """Write the current exception's trace under var/log, or the temporary folder when that is not writable."""
    for folder in (VAR / "log", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="surveylake-", suffix=".log", dir=folder)
        except OSError:
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(traceback.format_exc())
        return name
    return "nowhere: no folder is writable"


def absolute(folder: str) -> str:
    """A local folder as an absolute path (Spark's own working directory may be another); a URI as it is."""
    return folder if "://" in folder else str(Path(folder).expanduser().resolve())

"""Everything docs/performance.md claims, measured in one run on one machine, as ratios.

Run it:  make bench      or      python benchmarks/run.py --rows 1000000 --repeats 3 --only throughput,startup
"""

import argparse
import contextlib
import logging
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "jobs"))

import charts
import results
from ablation import ABLATIONS
from harness import Harness, Settings, default_folder, say
from parts.throughput import PEERS

from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.paths import ROOT

GOALS = (
    "throughput",
    "writers",
    "wide",
    "cold",
    "linearity",
    "scale_out",
    "verify",
    "aggregation",
    "small_files",
    "freshness",
    "startup",
    "produce",
)
PARTS = (*GOALS, "ablations")
BROKER_HEAP = "1g"
EXAMPLES = """
  python benchmarks/run.py                                   all of it, 10 million records
  python benchmarks/run.py --rows 500000 --only throughput --peers loader,naive
  python benchmarks/run.py --only freshness --minutes 2      the other parts' results stay, with their date
  python benchmarks/run.py --only ablations --ablations zstd,lz4   what each thing that makes it fast is worth
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the chosen parts, each as far as it goes; 1 when one of them failed."""
    args = _arguments(argv)
    settings = Settings(
        args.rows, args.repeats, args.minutes, args.batches, tuple(args.peers), tuple(args.ablations)
    )
    failed = []
    # What started processes and made folders must also clean up when it is asked to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with _arena(settings, args) as harness:
        left = {part: import_module(f"parts.{part}") for part in args.only}
        for number, part in enumerate(args.only, 1):
            about = sum(module.minutes(settings) for module in left.values())
            say(f"{number}/{len(args.only)} {part}; to the end about {about:.0f} minutes on two cores")
            before, began = results.machine(), time.monotonic()
            try:
                found = left.pop(part).measure(harness)
            except Exception:
                logging.exception("%s failed; its earlier results stay", part)
                failed.append(part)
                continue
            took = time.monotonic() - began
            say(f"{part} took {took / 60:.1f} minutes")
            _keep(part, found, args, before, took)
    return 1 if failed else 0


def _keep(
    part: str, found: results.PartResults, args: argparse.Namespace, before: dict[str, object], took: float
) -> None:
    """Write all files anew after each part: a run that is cut off keeps what it has."""
    known = results.load(args.results)
    results.join(known, part, found, args.rows, args.repeats, before, took)
    results.write(known, args.results)
    charts.draw(known, args.results)
    charts.draw_ablations(results.ablations(known), args.results)
    if args.page.exists():
        results.write_page(known, args.page)


@contextlib.contextmanager
def _arena(settings: Settings, args: argparse.Namespace) -> Iterator[Harness]:
    """A folder of the run's own and a Kafka in it; both are gone afterwards, but for the workers' logs."""
    folder, bootstrap = args.folder.resolve(), args.bootstrap
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    args.results.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.ExitStack() as stack:
            if not bootstrap:
                broker = EmbeddedBroker(folder / "kafka", free_port(), BROKER_HEAP)
                bootstrap = stack.enter_context(broker).bootstrap
            yield Harness(settings, bootstrap, folder, args.results)
    finally:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix != ".log":
                path.unlink()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py", description=__doc__, epilog="examples:\n" + EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    positive = _at_least_one
    parser.add_argument(
        "--rows", type=positive, default=10_000_000, help="records of the main topic (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=positive, default=3, help="rounds (default: %(default)s)")
    parser.add_argument(
        "--only",
        type=_some_of(PARTS),
        default=GOALS,
        metavar="PART,…",
        help=f"of {', '.join(PARTS)} (default: all but ablations)",
    )
    parser.add_argument(
        "--peers", type=_some_of(PEERS), default=PEERS, metavar="PEER,…", help=f"of {', '.join(PEERS)}"
    )
    parser.add_argument(
        "--ablations",
        type=_some_of(tuple(ABLATIONS)),
        default=tuple(ABLATIONS),
        metavar="ABLATION,…",
        help="of benchmarks/ablation.py (default: all)",
    )
    parser.add_argument("--minutes", type=float, default=10, help="of freshness (default: %(default)s)")
    parser.add_argument("--batches", type=positive, default=600, help="of small_files (default: %(default)s)")
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", help="a broker that runs (default: an embedded one)"
    )
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", metavar="DIR")
    parser.add_argument(
        "--page", type=Path, default=ROOT / "docs" / "performance.md", help="page with a place for the table"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=default_folder(),
        help="to work in; it is EMPTIED (default: %(default)s)",
    )
    return parser.parse_args(argv)


def _at_least_one(text: str) -> int:
    number = int(text.replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _some_of(known: tuple[str, ...]):
    """An argument type: some of these names, in this order."""

    def chosen(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there are {', '.join(known)}")
        return [name for name in known if name in names]

    return chosen


if __name__ == "__main__":
    sys.exit(main())

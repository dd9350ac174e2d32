"""What is broken in a lake and can be mended without losing anything: each step puts files aside, none is deleted or written.

A step is planned only when what is left was read and found whole, and when all that goes with it can be made again: a version
of `records` from the topic (repair_topic.py asks it), any other table from `records`, a checkpoint from the table's offsets.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError, ProofError, StorageError
from surveylake.lake.log_files import LOG, Fault, actions, listed, only_begun
from surveylake.lake.tables import RECORDS, RESPONSES
from surveylake.repair.topic import made_by, newest_epoch, require_kept
from surveylake.runtime.session import OpenSession
from surveylake.verify import checkpoint as proof_checkpoint
from surveylake.verify.logs import Log, ReadCheckpoint, missing_data, read_log, tables_in
from surveylake.verify.proof import COPY, read_checkpoint
from surveylake.wording import counted, examples

SUMMARY = "summary_"
RESTORE = (
    "Nothing was changed. Restore the files from a backup; without one, stream the topic into another lake."
)
STREAM, PUBLISH = "jobs/stream.py", ("jobs/aggregate.py", "jobs/export.py")
Say = Callable[[str], None]
"""Takes one line about what was found."""


@dataclass(frozen=True)
class Step:
    """Files or folders that are put aside together, in this order."""

    what: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Plan:
    """The steps in order, and what follows."""

    steps: tuple[Step, ...]
    then: tuple[str, ...]
    """the jobs to run afterwards"""
    version: int
    """up to which `records` is whole once the steps are taken; -1 when there is no table then"""

    @property
    def left(self) -> str:
        """What there is once the steps are taken."""
        return (
            f"{RECORDS} is whole to version {self.version}"
            if self.version >= 0
            else f"there is no table {RECORDS}"
        )


def lake_at(root: str) -> Path:
    """The lake's folder. ConfigError for a lake at a URI, StorageError when there is none."""
    if "://" in root:
        raise ConfigError(f"{root} is not a folder: the tables' logs are looked at as files", COPY)
    if not (Path(root) / RECORDS / LOG).is_dir():
        raise StorageError(
            f"there is no table {RECORDS} in {root}", f"Run {STREAM} first, with the same --lake."
        )
    return Path(root)


def plan(open_spark: OpenSession, lake: Path, config: Config, contract: Contract, say: Say) -> Plan:
    """Look at everything, move nothing. The lake's lock is held by the caller.

    Raises ProofError for what cannot be mended safely, TopicError when a broker is needed and does not answer.
    """
    if not (lake / RECORDS / LOG).is_dir():
        return Plan((), (STREAM,), -1)
    read = partial(read_checkpoint, open_spark)
    if only_begun(lake / RECORDS):
        return _anew(lake, read, say)
    log, blamed = _without_faults(lake / RECORDS, read, say)
    folder = lake / "_checkpoints" / RECORDS / f"epoch-{newest_epoch(log)[0]}"
    if lost := _lost(log, blamed, say):
        say(f"proved: {require_kept(open_spark, log, folder, config, contract)}")
    derived = _derived(lake, log.version, read, say)
    checkpoint = _of_checkpoint(folder, contract.topic, log, say, config)
    _strays(lake, say)
    # What was made of a version goes before the version: its number will come again, with other rows.
    steps = [*derived, *log_steps(log, lost, blamed), *checkpoint]
    then = [*[STREAM] * bool(lost or checkpoint), *PUBLISH * bool(derived)]
    return Plan(tuple(steps), tuple(then), log.version)


def _anew(lake: Path, read: ReadCheckpoint, say: Say) -> Plan:
    """A table without a whole version holds nothing: whatever the topic keeps, the stream takes in from the start."""
    say(f"found: {RECORDS}: it was cut off while it was made, and no version of it is whole")
    step = Step(f"the table {RECORDS}, which nothing was committed to", (lake / RECORDS,))
    return Plan((*_derived(lake, -1, read, say), step), (STREAM,), -1)


def _without_faults(table: Path, read: ReadCheckpoint, say: Say) -> tuple[Log, list[Path]]:
    """The log as it is without the files that are to blame for its faults, and those files."""
    blamed: list[Path] = []
    while (log := read_log(table, read, blamed)) and (found := log.found or _newest_data(log)):
        files = [path for fault in found for path in fault.files]
        if files or not blamed:
            for fault in found:
                say(f"found: {table.name}: {fault.said}")
        if not files:
            raise ProofError(
                f"{table.name} cannot be mended: what is broken is not the newest part of its log, "
                "or nothing before it is whole",
                RESTORE,
            )
        blamed += files
    if gone := missing_data(log):
        raise ProofError(
            f"{table.name} cannot be mended: of the data that version {log.version} is made of, {examples(gone)}",
            RESTORE,
        )
    return log, blamed


def _newest_data(log: Log) -> list[Fault]:
    """What is wrong with the data that the newest version added: its bytes may be lost where its commit is not."""
    files = listed(log.table)
    commit = files.commits.get(log.version)
    added = {unquote(a["add"]["path"]) for a in (actions(commit) if commit else None) or [] if "add" in a}
    own = replace(log, files={name: size for name, size in log.files.items() if name in added})
    wrong = missing_data(own, deep=True)
    return [Fault(f"of version {log.version}, {examples(wrong)}", files.of(log.version))] if wrong else []


def _lost(log: Log, blamed: list[Path], say: Say) -> list[int]:
    """The versions that go, newest first; what made each is said."""
    files = listed(log.table)
    lost = sorted((version for version in files.called if version > log.version), reverse=True)
    if not blamed or not lost:
        return []
    batches = log.transactions
    for version in reversed(lost):
        maker, batches = made_by(files, version, batches)
        say(f"known: version {version} of {RECORDS} was made by {maker}")
    return lost


def log_steps(log: Log, lost: list[int], blamed: list[Path]) -> list[Step]:
    """What is put aside of the log of `records`: whole versions, the newest first; then single files."""
    files = listed(log.table)
    versions = [path for version in lost for path in files.of(version)]
    steps = [
        Step(f"{counted(len(files.of(v)), 'file')} of version {v} of {RECORDS}", files.of(v)) for v in lost
    ]
    single = tuple(path for path in dict.fromkeys(blamed) if path not in versions)
    return steps + ([Step(f"{examples([p.name for p in single])} of {RECORDS}", single)] if single else [])


def _derived(lake: Path, newest: int, read: ReadCheckpoint, say: Say) -> list[Step]:
    """The tables made from `records` that are broken, or name a version of it that is not there."""
    steps = []
    for table in tables_in(lake):
        if table.name == RECORDS:
            continue
        log = read_log(table, read)
        wrong, version = log.faults or missing_data(log), log.provenance.records_version
        if not wrong and version is not None and version > newest:
            wrong = [f"made from version {version} of {RECORDS}, which is not there"]
        if not wrong:
            continue
        ours = table.name == RESPONSES or table.name.startswith(SUMMARY)
        say(f"found: {table.name}: {examples(wrong)}{'' if ours else '; not made by surveylake, left alone'}")
        steps += [Step(f"the table {table.name}, which is made from {RECORDS}", (table,))] if ours else []
    return steps


def _of_checkpoint(folder: Path, topic: str, log: Log, say: Say, config: Config) -> list[Step]:
    """A checkpoint that the stream could not go on from, or must not: the table's own offsets decide then."""
    if not folder.is_dir():
        return []
    said = proof_checkpoint.unfit(folder, topic, proof_checkpoint.newest_done(folder), log.transactions)
    if not said:
        return []
    if config.stream.starting_offsets != "earliest":
        # For an empty table the stream reads from the earliest offset only if it has put a checkpoint aside itself.
        say(f"said: checkpoint {folder.name}: {said}; {STREAM} puts it aside")
        return []
    say(f"found: checkpoint {folder.name}: {said}")
    return [Step(f"the checkpoint {folder.name}: the stream goes on from the table's own offsets", (folder,))]


def _strays(lake: Path, say: Say) -> None:
    strays = sorted([*lake.glob(f"*/{LOG}/*.tmp"), *(lake / "_checkpoints").rglob("*.tmp")])
    if strays:
        names = examples([path.name for path in strays])
        say(f"said: {counted(len(strays), 'temporary file')} of writes that did not end, harmless: {names}")

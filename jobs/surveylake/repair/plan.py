"""The plan of a repair that loses nothing: each step moves broken files aside, none is deleted or written.

A step is planned only when the rest was read and is whole, and when what is moved can be made again: a version of `records` from
the topic (repair/topic.py asks it), any other table from `records`, a checkpoint from the table's offsets.
"""

from dataclasses import dataclass
from functools import partial

from surveylake.config import Config
from surveylake.contract.model import Contract
from surveylake.errors import StorageError
from surveylake.lake.lake_path import LakePath, files_below
from surveylake.lake.log_faults import only_begun
from surveylake.lake.log_files import LOG, list_log
from surveylake.lake.tables import RECORDS, RESPONSES
from surveylake.repair.records_log import Say, dropped_versions, without_faults
from surveylake.repair.topic import newest_epoch, require_kept
from surveylake.runtime.session import OpenSession
from surveylake.verify import checkpoint as checkpoint_check
from surveylake.verify.logs import Log, ReadCheckpoint, missing_data, read_log, tables_in
from surveylake.verify.proof import lake_at, read_checkpoint
from surveylake.wording import counted, examples

SUMMARY = "summary_"
STREAM, PUBLISH = "jobs/stream.py", ("jobs/aggregate.py", "jobs/export.py")


@dataclass(frozen=True)
class Step:
    """Files or folders that are moved aside together, in this order."""

    what: str
    paths: tuple[LakePath, ...]


@dataclass(frozen=True)
class Plan:
    """The steps in order, and the jobs that follow."""

    steps: tuple[Step, ...]
    then: tuple[str, ...]
    """the jobs to run afterwards"""
    version: int
    """the version up to which `records` is whole after the steps; -1 when there is no table then"""
    dropped: int = -1
    """the newest version that is moved aside; -1 when none is"""

    @property
    def left(self) -> str:
        """The state of `records` after the steps."""
        return (
            f"{RECORDS} is whole to version {self.version}"
            if self.version >= 0
            else f"there is no table {RECORDS}"
        )


def lake_with_records(open_spark: OpenSession, root: str) -> LakePath:
    """Return the lake's folder. Raises StorageError when there is no table `records`."""
    lake = lake_at(open_spark, root)
    if not (lake / RECORDS / LOG).is_dir():
        raise StorageError(
            f"there is no table {RECORDS} in {root}", f"Run {STREAM} first, with the same --lake."
        )
    return lake


def plan(open_spark: OpenSession, lake: LakePath, config: Config, contract: Contract, say: Say) -> Plan:
    """Plan the repair, and move nothing. The caller holds the lake's lock.

    Raises ProofError for what cannot be mended without losing records, TopicError when a broker is needed and does not answer.
    """
    if not (lake / RECORDS / LOG).is_dir():
        return Plan((), (STREAM,), -1)
    read = partial(read_checkpoint, open_spark)
    if only_begun(lake / RECORDS):
        return _begun_plan(lake, read, say)
    log, faulty_files = without_faults(lake / RECORDS, read, say)
    folder = lake / "_checkpoints" / RECORDS / f"epoch-{newest_epoch(log)[0]}"
    if dropped := dropped_versions(log, faulty_files, say):
        say(f"proved: {require_kept(open_spark, log, folder, config, contract)}")
    derived = _derived_steps(lake, log.version, read, say)
    checkpoint = _checkpoint_steps(folder, contract.topic, log, say, config)
    _report_leftovers(lake, say)
    # Tables made from a version are moved before the version: its number will come again, with other rows.
    steps = [*derived, *_log_steps(log, dropped, faulty_files), *checkpoint]
    then = [*[STREAM] * bool(dropped or checkpoint), *PUBLISH * bool(derived)]
    return Plan(tuple(steps), tuple(then), log.version, max(dropped, default=-1))


def _begun_plan(lake: LakePath, read: ReadCheckpoint, say: Say) -> Plan:
    """Return the plan for a table without a whole version: it has no rows, and the stream reads the topic from the start."""
    say(f"found: {RECORDS}: it was cut off while it was made, and no version of it is whole")
    step = Step(f"the table {RECORDS}, which nothing was committed to", (lake / RECORDS,))
    return Plan((*_derived_steps(lake, -1, read, say), step), (STREAM,), -1)


def _log_steps(log: Log, dropped: list[int], faulty_files: list[LakePath]) -> list[Step]:
    """Return the steps for the log of `records`: whole versions, the newest first; then single files."""
    files = list_log(log.table)
    versions = [path for version in dropped for path in files.of(version)]
    steps = [
        Step(f"{counted(len(files.of(v)), 'file')} of version {v} of {RECORDS}", files.of(v)) for v in dropped
    ]
    single = tuple(path for path in dict.fromkeys(faulty_files) if path not in versions)
    return steps + ([Step(f"{examples([p.name for p in single])} of {RECORDS}", single)] if single else [])


def _derived_steps(lake: LakePath, newest: int, read: ReadCheckpoint, say: Say) -> list[Step]:
    """Return the steps for tables made from `records` that are broken, or name a version newer than `newest`."""
    steps = []
    for table in tables_in(lake):
        if table.name == RECORDS:
            continue
        log = read_log(table, read)
        problems, version = log.messages or missing_data(log), log.provenance.records_version
        if not problems and version is not None and version > newest:
            problems = [f"made from version {version} of {RECORDS}, which is not there"]
        if not problems:
            continue
        ours = table.name == RESPONSES or table.name.startswith(SUMMARY)
        say(
            f"found: {table.name}: {examples(problems)}{'' if ours else '; not made by surveylake, left alone'}"
        )
        steps += [Step(f"the table {table.name}, which is made from {RECORDS}", (table,))] if ours else []
    return steps


def _checkpoint_steps(folder: LakePath, topic: str, log: Log, say: Say, config: Config) -> list[Step]:
    """Return the step for a checkpoint that the stream cannot or must not go on from; the table's offsets are used then."""
    if not checkpoint_check.is_there(folder):
        return []
    reason = checkpoint_check.unfit(folder, topic, checkpoint_check.newest_done(folder), log.batch_by_query)
    if not reason:
        return []
    if config.stream.starting_offsets != "earliest":
        # For an empty table the stream reads from the earliest offset only if it retired the checkpoint itself.
        say(f"said: checkpoint {folder.name}: {reason}; {STREAM} puts it aside")
        return []
    say(f"found: checkpoint {folder.name}: {reason}")
    return [Step(f"the checkpoint {folder.name}: the stream goes on from the table's own offsets", (folder,))]


def _report_leftovers(lake: LakePath, say: Say) -> None:
    """Say which temporary files an interrupted write left behind; they are harmless."""
    folders = [*(table / LOG for table in tables_in(lake)), lake / "_checkpoints"]
    leftovers = sorted(path for folder in folders for path in files_below(folder) if path.suffix == ".tmp")
    if leftovers:
        names = examples([path.name for path in leftovers])
        say(
            f"said: {counted(len(leftovers), 'temporary file')} of writes that did not end, harmless: {names}"
        )

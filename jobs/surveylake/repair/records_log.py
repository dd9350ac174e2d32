"""The log of `records` without its faulty files, and the versions that are dropped with them."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

from surveylake.errors import ProofError
from surveylake.lake.lake_path import LakePath
from surveylake.lake.log_faults import Fault
from surveylake.lake.log_files import actions, list_log
from surveylake.lake.tables import RECORDS
from surveylake.repair.topic import made_by
from surveylake.verify.logs import Log, ReadCheckpoint, missing_data, read_log
from surveylake.wording import examples

RESTORE = (
    "Nothing was changed. Restore the files from a backup; without one, stream the topic into another lake."
)
Say = Callable[[str], None]
"""Prints one line of a message."""


def without_faults(table: LakePath, read: ReadCheckpoint, say: Say) -> tuple[Log, list[LakePath]]:
    """Read the log without the files in which its faults lie.

    Returns the log and those files, the newest versions first. Raises ProofError when no whole version is left, or data of
    the version that is left is damaged.
    """
    faulty_files: list[LakePath] = []
    while (log := read_log(table, read, faulty_files)) and (faults := log.faults or _newest_data_faults(log)):
        files = [path for fault in faults for path in fault.files]
        if files or not faulty_files:
            for fault in faults:
                say(f"found: {table.name}: {fault.message}")
        if not files:
            raise ProofError(
                f"{table.name} cannot be mended: what is broken is not the newest part of its log, "
                "or nothing before it is whole",
                RESTORE,
            )
        faulty_files += files
    if damaged := missing_data(log):
        raise ProofError(
            f"{table.name} cannot be mended: of the data that version {log.version} is made of, {examples(damaged)}",
            RESTORE,
        )
    return log, faulty_files


def _newest_data_faults(log: Log) -> list[Fault]:
    """Return the fault of damaged data files of the newest version: a power loss may take their bytes and leave the commit."""
    files = list_log(log.table)
    commit = files.commits.get(log.version)
    added = {unquote(a["add"]["path"]) for a in (actions(commit) if commit else None) or [] if "add" in a}
    newest = replace(log, files={name: size for name, size in log.files.items() if name in added})
    damaged = missing_data(newest, deep=True)
    return [Fault(f"of version {log.version}, {examples(damaged)}", files.of(log.version))] if damaged else []


def dropped_versions(log: Log, faulty_files: list[LakePath], say: Say) -> list[int]:
    """Return the versions to be moved aside, newest first, and say what made each."""
    files = list_log(log.table)
    dropped = sorted((version for version in files.by_version if version > log.version), reverse=True)
    if not faulty_files or not dropped:
        return []
    batch_by_query = log.batch_by_query
    for version in reversed(dropped):
        maker, batch_by_query = made_by(files, version, batch_by_query)
        say(f"known: version {version} of {RECORDS} was made by {maker}")
    return dropped

"""The exports of one run as one set: all staged, then moved in place file by file, the manifest last.

OUT/.surveylake-staging/   being written; the next run deletes it if this one dies
OUT/.surveylake-ready/     written and fsynced whole: from here on the new set wins, and the next run finishes the move
OUT/manifest.json          the files of the set; a file with another sha256 is not of this set
"""

import contextlib
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from surveylake.errors import ConfigError, StorageError
from surveylake.export.manifest import MANIFEST, known_files, manifest_text
from surveylake.export.out_folder import ANOTHER, allowed_folder, hold
from surveylake.export.staging import Staging, require_name, sealed
from surveylake.lake.fsync import sync_folder
from surveylake.paths import sha256

STAGING, READY = ".surveylake-staging", ".surveylake-ready"


class Publication:
    """One run's exports.

    with Publication(out, lake) as publication:
        write_csv(publication.path("table.csv"), columns, rows)
        publication.commit({"records_version": 3})

    Leaving without commit, or with an error, leaves OUT as it was. Raises ConfigError where OUT must not be, or holds a
    file of somebody else under one of our names, or one of ours that was edited; StorageError when it cannot be written
    or another run is writing it.
    """

    def __init__(self, out: Path, lake: Path | str) -> None:
        self.where = str(out)
        """where the files of the set are, as it was given"""
        self.out = allowed_folder(out, lake)
        """the real folder"""
        self._staging = Staging(self.out / STAGING)
        self.folder = self._staging.folder

    def __enter__(self) -> Self:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            self._lock = hold(self.out)
            try:
                self._clear()
                self._known = known_files(self.out)
                self._staging.root.mkdir()
            except BaseException:
                self._lock.release(remove_empty=True)
                raise
        except OSError as error:
            raise _unwritable(self.out, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._staging.root, ignore_errors=True)
        self._lock.release(remove_empty=True)

    def path(self, name: str) -> Path:
        """Return where to write the file that will be OUT/name; creates its folder."""
        self._refuse_foreign(name)
        return self._staging.path(name)

    def commit(self, facts: dict[str, Any]) -> list[str]:
        """Move the staged files in place, then the manifest: `facts`, and bytes and sha256 of each. Returns the files' names."""
        staging = self._staging.root
        try:
            files = self._staging.seal()
            for name, seal in files.items():
                self._refuse_foreign(name, seal["sha256"])
            (staging / MANIFEST).write_text(manifest_text(facts, files), encoding="utf-8")
            sealed(staging / MANIFEST)
            for folder in {staging, *((staging / name).parent for name in files)}:
                sync_folder(folder)
            os.replace(staging, self.out / READY)
            sync_folder(self.out)
            _move_in(self.out)
        except OSError as error:
            raise _unwritable(self.out, error) from error
        return [*files, MANIFEST]

    def _clear(self) -> None:
        """Finish or delete the set of a run that died."""
        for name in (STAGING, READY):
            left = self.out / name
            if left.is_symlink() or (left.exists() and not left.is_dir()):
                raise ConfigError(f"{left} is not surveylake's", f"Move it away. {ANOTHER}")
        if (self.out / READY).exists():
            _move_in(self.out)
        if self._staging.root.exists():
            shutil.rmtree(self._staging.root)

    def _refuse_foreign(self, name: str, new: str = "") -> None:
        """Raise ConfigError unless OUT/name is free, or is as the last run wrote it."""
        require_name(name)
        place = self.out / name
        for folder in (self.out / parent for parent in Path(name).parents[:-1]):
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                raise ConfigError(f"{folder} is not a folder of surveylake's", f"Move it away. {ANOTHER}")
        if not os.path.lexists(place):
            return
        if name not in self._known or place.is_symlink() or not place.is_file():
            raise ConfigError(
                f"{place} is there, and surveylake did not write it", f"Move it away. {ANOTHER}"
            )
        if sha256(place) not in (self._known[name], new):
            raise ConfigError(
                f"{place} was changed after surveylake wrote it",
                f"Move it away to keep it, or delete it. {ANOTHER}",
            )


def _move_in(out: Path) -> None:
    """Move a ready set into OUT, delete files of the old set only, then move the manifest. Idempotent."""
    ready = out / READY
    if (ready / MANIFEST).exists():
        new, old = known_files(ready), known_files(out)
        for name in new:
            existing = sha256(out / name) if (out / name).is_file() else ""
            if existing not in ("", new[name], old.get(name)):
                raise ConfigError(f"{out / name} was changed while an export was cut short", "Move it away.")
            if (ready / name).exists() and existing != new[name]:
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(ready / name, out / name)
        for name in set(old) - set(new):
            if (out / name).is_file() and sha256(out / name) == old[name]:
                (out / name).unlink()
                with contextlib.suppress(OSError):  # a folder that still holds something stays
                    (out / name).parent.rmdir()
        for folder in {(out / name).parent for name in new}:
            sync_folder(folder)
        os.replace(ready / MANIFEST, out / MANIFEST)
        sync_folder(out)
    shutil.rmtree(ready)


def _unwritable(out: Path, error: OSError) -> StorageError:
    hint = f"Check the free space and the rights of the folder. {ANOTHER}"
    return StorageError(f"cannot write the exports to {out}: {error.strerror or error}", hint)

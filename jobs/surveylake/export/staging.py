"""The files of one run while they are made: a folder of this machine, whose files are published together or not at all."""

import os
from pathlib import Path
from typing import Any

from surveylake.errors import ConfigError
from surveylake.export.manifest import MANIFEST, NAME
from surveylake.paths import sha256


class Staging:
    """A folder of files to be published. What Spark leaves beside its files (`.x.crc`, `_SUCCESS`) is not."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Return where to write the file that will be OUT/name; creates its folder."""
        require_name(name)
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def folder(self, name: str = "") -> Path:
        """Return a staged folder: each file written into it will be in OUT/name."""
        place = self.root / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def seal(self) -> dict[str, dict[str, Any]]:
        """Fsync every file to be published. Returns name -> bytes and sha256, sorted by name."""
        return {name: sealed(self.root / name) for name in self._names()}

    def _names(self) -> list[str]:
        paths = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        names = (path.relative_to(self.root) for path in paths)
        return sorted(name.as_posix() for name in names if not any(part[0] in "._" for part in name.parts))


def require_name(name: str) -> None:
    """Raise ConfigError for a name that no published file can have."""
    if not NAME.fullmatch(name) or name == MANIFEST:
        raise ConfigError(
            f"'{name}' cannot be the name of an export", "Use letters, digits, '_', '-' and '.'."
        )


def sealed(path: Path) -> dict[str, Any]:
    """Fsync a file. Returns its bytes and sha256."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}

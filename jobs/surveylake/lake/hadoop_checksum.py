"""The checksum that Hadoop's local file system leaves beside each file: `.NAME.crc`, a CRC-32 of every 512 bytes."""

import struct
import zlib
from pathlib import Path

from surveylake.lake.lake_path import LakePath

MAGIC = b"crc\0"
"""how a checksum file begins"""
CHUNK_BYTES = 512
"""of Hadoop's own checksums"""


def sidecar_of(path: LakePath) -> LakePath:
    """Return where Hadoop keeps a file's checksum."""
    return path.with_name(f".{path.name}.crc")


def recorded(path: LakePath) -> bytes | None:
    """Return the content of a file's checksum file.

    None when there is none, or one without a head, which Hadoop passes over too.
    """
    sidecar = sidecar_of(path)
    content = sidecar.read_bytes() if sidecar.is_file() else b""
    return content if content[:4] == MAGIC and len(content) >= 8 else None


def write(path: Path) -> None:
    """Write the checksum of a file that another program than Hadoop has made."""
    content = MAGIC + struct.pack(">i", CHUNK_BYTES) + _sums(path, CHUNK_BYTES)
    Path(str(sidecar_of(path))).write_bytes(content)


def matches(path: LakePath) -> bool:
    """Return whether a file's bytes are those of its checksum; True where there is no checksum to compare with."""
    content = recorded(path)
    if content is None:
        return True
    return content[8:] == _sums(path, struct.unpack(">i", content[4:8])[0])


def _sums(path: LakePath, chunk_size: int) -> bytes:
    """Return the CRC-32 of each chunk of a file, one after the other."""
    with path.open("rb") as file:
        sums = [zlib.crc32(chunk) for chunk in iter(lambda: file.read(chunk_size), b"")]
    return struct.pack(f">{len(sums)}I", *sums)

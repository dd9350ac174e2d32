"""The checksum that Hadoop's local file system leaves beside each file: `.NAME.crc`, a CRC-32 of every 512 bytes."""

import struct
import zlib

from surveylake.lake.lake_path import LakePath

MAGIC = b"crc\0"
"""how a checksum file begins"""


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


def matches(path: LakePath) -> bool:
    """Return whether a file's bytes are those of its checksum; True where there is no checksum to compare with."""
    content = recorded(path)
    if content is None:
        return True
    chunk_size, sums = struct.unpack(">i", content[4:8])[0], []
    with path.open("rb") as file:
        while chunk := file.read(chunk_size):
            sums.append(zlib.crc32(chunk))
    return content[8:] == struct.pack(f">{len(sums)}I", *sums)

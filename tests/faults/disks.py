"""Disks of a test's own: small ones in memory, and one in a file that can be copied under the system's feet."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LATE = "900"
"""Seconds between two journal commits of the loop disk: what nobody brought to the disk is in memory only, for so long."""


def _mount(*arguments: str) -> None:
    """Skip the test where mounting is not allowed."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a disk needs root")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("mounting a disk is not allowed here")


@contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[Callable[[str], None]]:
    """A disk of that size at `at`; gives what mounts it again with other options ('ro', 'rw')."""
    at.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(at))
    try:
        yield lambda option: _mount("-o", f"remount,{option}", str(at))
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextmanager
def loop_disk(image: Path, at: Path) -> Iterator[None]:
    """An ext4 disk at `at` that lives in the file `image`; the file is made when it is missing."""
    at.mkdir(parents=True, exist_ok=True)
    if not image.exists():
        if shutil.which("mkfs.ext4") is None:
            pytest.skip("mkfs.ext4 is not installed")
        with image.open("wb") as file:
            file.truncate(64 * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    _mount("-o", f"loop,commit={LATE}", str(image), str(at))
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def copied_without_sync(image: Path, name: str) -> Path:
    """The disk's file as it is at this moment, copied to a file of that name: what a power cut would leave of it."""
    copy = image.with_name(f"{image.stem}-{name}.img")
    subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
    return copy


def brought_to(disk: Path) -> None:
    """All that was written to this disk so far is on it."""
    subprocess.run(["sync", "--file-system", str(disk)], check=True)

"""b5: the folder of Java's scratch files where /tmp is unusable."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from surveylake.errors import SetupError
from surveylake.runtime import scratch


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """A process that has no folder yet, and the places where it looks."""
    candidates = [tmp_path / "var" / "tmp", tmp_path / "tmp"]
    monkeypatch.setattr(scratch, "_places", lambda: iter(candidates))
    monkeypatch.setattr(scratch, "folder", scratch.folder.__wrapped__)
    monkeypatch.setattr(scratch, "_handles", [])
    return candidates


def system(monkeypatch: pytest.MonkeyPatch, place: Path, flag: int = 0, free: int = 1 << 40) -> None:
    """What the system says of one place; of the others what is true."""
    real = os.statvfs
    answer = SimpleNamespace(f_flag=flag, f_bavail=free, f_frsize=1)
    monkeypatch.setattr(scratch.os, "statvfs", lambda asked: answer if Path(asked) == place else real(asked))


def test_b5_the_first_place_is_var(places: list[Path]) -> None:
    created = scratch.folder()
    assert created.parent == places[0] and created.stat().st_mode & 0o777 == 0o700


def test_b5_a_place_mounted_noexec_is_passed_over_and_named(
    places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    system(monkeypatch, places[0], os.ST_NOEXEC)
    assert scratch.folder().parent == places[1]
    assert scratch.fault(places[0]) == "is mounted noexec"


def test_b5_a_full_place_is_passed_over(places: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    system(monkeypatch, places[0], free=1000)
    assert scratch.folder().parent == places[1]


def test_b5_a_place_that_cannot_be_made_is_passed_over(places: list[Path]) -> None:
    places[0].parent.write_text("a file")
    assert scratch.folder().parent == places[1]


def test_b10_a_place_with_a_comma_is_passed_over_for_spark_would_cut_it(
    places: list[Path], tmp_path: Path
) -> None:
    places[0] = tmp_path / "a,b"
    assert scratch.folder().parent == places[1]


def test_b5_with_no_place_left_each_is_named_with_its_fault(
    places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    places[0].parent.write_text("a file")
    system(monkeypatch, places[1], os.ST_NOEXEC)
    with pytest.raises(SetupError) as raised:
        scratch.folder()
    assert f"{places[0]} cannot be written: Not a directory" in raised.value.message
    assert f"{places[1]} is mounted noexec" in raised.value.message
    assert "SURVEYLAKE_VAR" in raised.value.hint


def test_b5_a_folder_in_tmp_that_another_user_made_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / scratch.OWN).mkdir()
    monkeypatch.setattr(scratch.os, "getuid", lambda: os.geteuid() + 1)
    assert "was made by another user" in scratch.fault(tmp_path / scratch.OWN)


def test_b5_what_a_killed_process_left_goes_and_what_is_in_use_stays(places: list[Path]) -> None:
    code = (
        "import sys, pathlib; from surveylake.runtime import scratch; scratch._places = lambda: iter([pathlib.Path(sys.argv[1])])\n"
        "(scratch.folder() / 'native.so').touch(); print(scratch.folder(), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(places[0])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONPATH": str(scratch.__file__).rpartition("/surveylake/")[0]}) as other:  # fmt: skip
        assert other.stdout
        theirs = Path(other.stdout.readline().strip())
        scratch.folder()
        assert (theirs / "native.so").exists()
        other.kill()
    scratch.folder()
    assert not theirs.exists()

"""b12: a shell's limits that are too low for Spark and Kafka are refused by name, before anything is started or sent."""

import resource
import subprocess
from pathlib import Path

import pytest

from support import shell
from surveylake.errors import SetupError
from surveylake.runtime import limits


def under(limit: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """run.py in a shell that has set a limit."""
    words = shell.command("run", "--lake", tmp_path / "lake", "--out", tmp_path / "out")
    return shell.run(["bash", "-c", f'{limit} && exec "$@"', "bash", *words], tmp_path / "var")


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        ("ulimit -n 256", "256 open files (ulimit -n)"),
        ("ulimit -v 4000000", "3,906 MB of memory addresses (ulimit -v)"),
        ("ulimit -f 5000", "files of 5,120,000 bytes at most (ulimit -f)"),
        ("ulimit -n 256 && ulimit -v 4000000", "256 open files (ulimit -n), needed are 400; 3,906 MB"),
    ],
)
def test_b12_a_limit_that_is_too_low_is_refused_by_name(limit: str, named: str, tmp_path: Path) -> None:
    done = under(limit, tmp_path)
    assert done.returncode == SetupError.exit_code, done.stderr
    assert named in done.stderr and limit.partition(" 256")[0].split()[0] in done.stderr
    assert done.stderr.count("\n") == 2 and "  next: Run: ulimit -" in done.stderr
    assert not (tmp_path / "lake").exists() and not list((tmp_path / "var").rglob("*.properties"))


def test_b12_what_may_be_raised_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[tuple[int, int]] = []
    monkeypatch.setattr(
        limits.resource,
        "getrlimit",
        lambda kind: (256, 100_000) if kind == resource.RLIMIT_NOFILE else (-1, -1),
    )
    monkeypatch.setattr(limits.resource, "setrlimit", lambda kind, pair: changed.append(pair))
    limits.check()
    assert changed == [(65_536, 100_000)]


def test_b12_processes_of_this_user_are_counted_against_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        limits.resource, "getrlimit", lambda kind: (300, 300) if kind == resource.RLIMIT_NPROC else (-1, -1)
    )
    monkeypatch.setattr(limits.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(limits, "_threads_of_user", lambda: 100)
    with pytest.raises(
        SetupError, match=r"300 processes and threads \(ulimit -u\), of which 100 run already"
    ):
        limits.check()
    monkeypatch.setattr(limits, "_threads_of_user", lambda: 10)
    limits.check()


def test_b12_a_containers_limit_of_processes_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "max").write_text("200\n")
    (tmp_path / "current").write_text("20\n")
    monkeypatch.setattr(limits, "PIDS", ((str(tmp_path / "max"), str(tmp_path / "current")),))
    with pytest.raises(
        SetupError, match=r"180 more processes and threads in this container or service \(pids\.max\)"
    ):
        limits.check()
    (tmp_path / "max").write_text("max\n")
    limits.check()


def test_b12_threads_are_counted_here() -> None:
    assert limits._threads_of_user() >= 1
    assert limits.machine_bytes() > 1 << 28
    assert limits.heap_bytes() == 2 << 30

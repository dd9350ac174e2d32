"""Publishing: all or nothing, nobody else's files, nowhere dangerous."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from surveylake.errors import ConfigError, StorageError
from surveylake.export.manifest import damaged_files, known_files
from surveylake.export.publication import Publication
from surveylake.paths import JOBS


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def publish(out, lake, facts=None, **texts):
    """Publish files given as stem_end=text; their names."""
    with Publication(out, lake) as publication:
        for name, text in texts.items():
            publication.path(name.replace("__", "/").replace("_txt", ".txt")).write_text(text)
        return publication.commit(facts or {})


def contents(folder):
    """name -> text of every file below the folder."""
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_published_set_is_whole_and_its_manifest_says_of_what(out, lake):
    names = publish(out, lake, {"records_version": 3}, a_txt="one", charts__b_txt="two")
    manifest = json.loads((out / "manifest.json").read_text())
    assert names == ["a.txt", "charts/b.txt", "manifest.json"]
    assert manifest["records_version"] == 3
    assert manifest["files"]["a.txt"] == {
        "bytes": 3, "sha256": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
    }  # fmt: skip
    assert damaged_files(out) == []
    assert set(os.listdir(out)) == {"a.txt", "charts", "manifest.json", ".surveylake.lock"}


def test_the_same_set_again_touches_nothing(out, lake):
    publish(out, lake, a_txt="one")
    before = (out / "a.txt").stat()
    manifest = (out / "manifest.json").read_bytes()
    publish(out, lake, a_txt="one")
    assert (out / "a.txt").stat().st_mtime_ns == before.st_mtime_ns
    assert (out / "manifest.json").read_bytes() == manifest


def test_what_the_new_set_has_no_more_is_removed_and_foreign_files_stay(out, lake):
    publish(out, lake, a_txt="one", charts__b_txt="two")
    (out / "notes.md").write_text("mine")
    publish(out, lake, a_txt="one")
    assert set(os.listdir(out)) == {"a.txt", "manifest.json", "notes.md", ".surveylake.lock"}


def test_a_removed_name_that_was_edited_stays(out, lake):
    publish(out, lake, a_txt="one", b_txt="two")
    (out / "b.txt").write_text("edited")
    publish(out, lake, a_txt="one")
    assert (out / "b.txt").read_text() == "edited"


def test_a_foreign_file_under_one_of_our_names_is_refused_and_kept(out, lake):
    out.mkdir()
    (out / "a.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"a\.txt is there, and surveylake did not write it"):
        publish(out, lake, a_txt="one")
    assert contents(out) == {"a.txt": "mine", ".surveylake.lock": ""}


def test_an_edited_file_of_ours_is_refused_and_kept(out, lake):
    publish(out, lake, a_txt="one")
    (out / "a.txt").write_text("edited")
    with pytest.raises(ConfigError, match="was changed after surveylake wrote it"):
        publish(out, lake, a_txt="two")
    assert (out / "a.txt").read_text() == "edited"


def test_a_file_written_past_path_is_checked_too(out, lake):
    out.mkdir()
    (out / "a.txt").write_text("mine")
    with pytest.raises(ConfigError, match="did not write it"), Publication(out, lake) as publication:
        (publication.folder() / "a.txt").write_text("one")
        publication.commit({})
    assert (out / "a.txt").read_text() == "mine"


@pytest.mark.parametrize("text", ['{"name": "an app"}', '{"format": "another", "files": {}}', "[]", "{", ""])
def test_a_manifest_of_somebody_else_is_refused(out, lake, text):
    out.mkdir()
    (out / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match="was not written by surveylake"):
        publish(out, lake, a_txt="one")


def test_a_manifest_that_names_files_outside_is_refused(out, lake):
    publish(out, lake, a_txt="one")
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["files"]["../precious.txt"] = {"bytes": 1, "sha256": "0"}
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ConfigError):
        publish(out, lake, a_txt="one")


def test_a_link_inside_is_not_followed(out, lake, tmp_path):
    out.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (out / "charts").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="not a folder of surveylake's"):
        publish(out, lake, charts__b_txt="two")
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../x", ".hidden", "", "manifest.json", "a b"])
def test_a_name_that_could_lead_elsewhere_is_refused(out, lake, name):
    with pytest.raises(ConfigError), Publication(out, lake) as publication:
        publication.path(name)


def test_an_error_leaves_the_old_set_and_no_trace(out, lake):
    publish(out, lake, a_txt="one")
    before = contents(out)
    with pytest.raises(RuntimeError), Publication(out, lake) as publication:
        publication.path("a.txt").write_text("half")
        raise RuntimeError
    assert contents(out) == before


def test_a_first_run_that_fails_leaves_no_folder(out, lake):
    with pytest.raises(RuntimeError), Publication(out, lake):
        raise RuntimeError
    assert not out.exists()


def test_leftovers_of_spark_are_not_published(out, lake):
    with Publication(out, lake) as publication:
        publication.path("a.txt").write_text("one")
        (publication.folder() / ".a.txt.crc").write_text("x")
        (publication.folder("parts") / "_SUCCESS").write_text("")
        publication.commit({})
    assert set(known_files(out)) == {"a.txt"}


def test_the_lake_and_what_is_in_it_are_refused(lake):
    (lake / "records").mkdir(parents=True)
    for place in (lake, lake / "records", lake / "exports"):
        with pytest.raises(ConfigError, match="that is the lake"):
            Publication(place, lake)


def test_root_and_home_are_refused(lake, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "people" / "ann"))
    for place in ("/", "~", tmp_path / "people"):
        with pytest.raises(ConfigError, match="home folder, or holds it"):
            Publication(Path(place), lake)


def test_a_delta_table_of_another_lake_is_refused(tmp_path, lake):
    (tmp_path / "table" / "_delta_log").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is a Delta table"):
        Publication(tmp_path / "table" / "x", lake)


def test_a_file_as_the_folder_is_refused(out, lake):
    out.write_text("")
    with pytest.raises(ConfigError, match="not a folder"):
        Publication(out, lake)


def test_a_link_as_the_folder_is_followed_and_said(out, lake, tmp_path, caplog):
    (tmp_path / "real").mkdir()
    out.symlink_to(tmp_path / "real")
    with caplog.at_level("INFO"):
        publish(out, lake, a_txt="one")
    assert f"{out} leads to {tmp_path / 'real'}" in caplog.text
    assert (tmp_path / "real" / "a.txt").read_text() == "one"


def test_a_link_into_the_lake_is_refused(out, lake):
    lake.mkdir()
    out.symlink_to(lake)
    with pytest.raises(ConfigError, match="that is the lake"):
        Publication(out, lake)


def test_a_lake_on_an_object_store_is_not_taken_for_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert publish(Path("s3a:/bucket/lake"), "s3a://bucket/lake", a_txt="one")


def test_a_place_that_cannot_be_written_is_one_error(tmp_path, lake):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="cannot write the exports"),
        Publication(tmp_path / "file" / "out", lake),
    ):
        pass


def test_a_second_export_at_once_is_refused_and_the_first_is_whole(out, lake):
    with Publication(out, lake) as first:
        first.path("a.txt").write_text("first")
        with pytest.raises(StorageError, match="another export is writing"):
            publish(out, lake, a_txt="second")
        first.commit({})
    assert (out / "a.txt").read_text() == "first"
    publish(out, lake, a_txt="third")


def test_two_exports_in_a_loop_never_leave_a_mix(out, lake):
    code = (
        "import sys; from pathlib import Path\n"
        "from surveylake.errors import StorageError; from surveylake.export.publication import Publication\n"
        "for i in range(40):\n"
        "    try:\n"
        "        with Publication(Path(sys.argv[1]), 'lake') as p:\n"
        "            for name in 'abc': p.path(name).write_text(f'{sys.argv[2]}{i}')\n"
        "            p.commit({})\n"
        "    except StorageError: pass\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(out), who], env={**os.environ, "PYTHONPATH": str(JOBS)}
        )
        for who in ("x", "y")
    ]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert damaged_files(out) == []
    assert len({(out / name).read_text() for name in "abc"}) == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from surveylake.export.publication import Publication

left = int(sys.argv[2])

def counted(real):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    return call

for name in ("open", "fsync", "replace", "mkdir", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
with Publication(Path(sys.argv[1]), "lake") as publication:
    for name in ("a.txt", "charts/b.txt", "new.txt"):
        publication.path(name).write_text("new " * 9)
    publication.commit({"run": "new"})
"""


def killed_after(out, steps):
    """Run a publication that kills itself with -9 at its n-th step; its exit code."""
    command = [sys.executable, "-c", KILLED, str(out), str(steps)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(JOBS)}, timeout=60).returncode


@pytest.mark.integration
def test_a_kill_at_any_step_leaves_the_old_set_or_a_new_one_that_the_next_run_finishes(tmp_path, lake):
    old = {"a.txt": "old", "charts/b.txt": "old", "gone.txt": "old"}
    new = dict.fromkeys(("a.txt", "charts/b.txt", "new.txt"), "new " * 9)
    outcomes = set()
    for steps in range(200):
        out = tmp_path / f"out{steps}"
        publish(out, lake, a_txt="old", charts__b_txt="old", gone_txt="old")
        code = killed_after(out, steps)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        ready = (out / ".surveylake-ready" / "manifest.json").exists()
        if not ready:
            expected = new if "run" in json.loads((out / "manifest.json").read_text()) else old
            assert damaged_files(out) == []
        else:
            expected = new
        outcomes.add((ready, expected is new))
        with Publication(out, lake):
            pass
        assert damaged_files(out) == []
        left = {
            name: text
            for name, text in contents(out).items()
            if name not in ("manifest.json", ".surveylake.lock")
        }
        assert left == expected
        assert not list(out.glob(".surveylake-*"))
    assert code == 0
    assert outcomes == {(False, False), (True, True), (False, True)}, (
        "before, during and after the move were all met"
    )


def test_a_lock_file_without_a_holder_hinders_nobody(out, lake):
    out.mkdir()
    (out / ".surveylake.lock").touch()
    assert publish(out, lake, a_txt="one")
    with (out / ".surveylake.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StorageError):
            publish(out, lake, a_txt="two")

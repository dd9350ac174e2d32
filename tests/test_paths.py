"""b14: the folder of generated files, by the rights of the user."""

from pathlib import Path

import pytest

from surveylake import paths
from surveylake.errors import StorageError
from surveylake.locks import FolderLock


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A checkout that this user may read only: whoever runs the tests may write everywhere, so the system is not asked."""
    root = tmp_path / "a checkout"
    root.mkdir()
    really = paths.may_write
    monkeypatch.setattr(paths, "may_write", lambda folder: really(folder) and not folder.is_relative_to(root))
    return root


def test_b14_the_variable_goes_before_all(tmp_path: Path) -> None:
    assert paths.var_folder(tmp_path, {"SURVEYLAKE_VAR": "/elsewhere", "HOME": "/h"}) == Path("/elsewhere")
    assert paths.var_folder(tmp_path, {"SURVEYLAKE_VAR": "here"}) == Path.cwd() / "here"


def test_b14_a_checkout_of_ones_own_keeps_its_var(tmp_path: Path) -> None:
    assert paths.var_folder(tmp_path, {"HOME": "/h", "XDG_CACHE_HOME": "/c"}) == tmp_path / "var"


def test_b14_a_checkout_that_cannot_be_written_uses_the_users_cache(closed: Path, tmp_path: Path) -> None:
    folder = paths.var_folder(closed, {"HOME": str(tmp_path / "home")})
    assert folder.parent == tmp_path / "home" / ".cache" / "surveylake"
    assert folder.name.startswith("a_checkout-") and not folder.exists()
    named = paths.var_folder(
        closed, {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    )
    assert named.parent == tmp_path / "cache" / "surveylake"


def test_b14_two_checkouts_share_nothing(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "may_write", lambda folder: folder.name != "var")
    environment = {"HOME": str(tmp_path)}
    assert paths.var_folder(tmp_path / "1" / "x", environment) != paths.var_folder(
        tmp_path / "2" / "x", environment
    )


def test_b14_a_user_without_a_home_is_told_the_variable(
    closed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(paths.pwd, "getpwuid", nobody)
    assert paths.var_folder(closed, {}) == closed / "var"
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as raised:
        FolderLock(tmp_path / "file" / "kafka", "test")
    assert "SURVEYLAKE_VAR" in raised.value.hint


def test_b14_a_home_that_cannot_be_made_is_no_home(closed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert paths.var_folder(closed, {"HOME": str(tmp_path / "file" / "home")}) == closed / "var"
    assert paths.var_folder(closed, {"HOME": str(tmp_path / "not yet")}) != closed / "var"


def test_b14_whoever_finds_a_folder_held_is_told_how_to_have_another(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, "embedded Kafka")
    with pytest.raises(StorageError) as raised:
        FolderLock(tmp_path, "embedded Kafka")
    lock.release()
    assert "SURVEYLAKE_VAR=DIR" in raised.value.hint and "--data DIR" in raised.value.hint


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("lake", True),
        ("/data/a:b/lake", True),
        ("", True),
        ("s3a://bucket/lake", False),
        ("file:///data", False),
    ],
)
def test_a_uri_is_not_a_local_path(path: str, local: bool) -> None:
    assert paths.is_local(path) is local

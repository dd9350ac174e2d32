"""The choice of Java, and the error where there is none."""

import os
from pathlib import Path

import pytest

from surveylake.errors import SetupError
from surveylake.runtime import java


def fake_java(home: Path, version: str, release: bool = False) -> Path:
    """A folder laid out as a Java of this version, whose executable answers -version as Java does."""
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(
        f'#!/bin/sh\ntouch {home}/started\n'
        f'echo "    java.home = {home}" >&2\necho \'openjdk version "{version}" 2025-01-01\' >&2\n'
    )  # fmt: skip
    executable.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return executable


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any Java: no JAVA_HOME, an empty PATH, nothing in the usual places."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(java, "USUAL_PLACES", (str(tmp_path / "jvm/*/bin/java"),))
    return tmp_path


def test_java_home_goes_before_the_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(bare, "17.0.1")
    chosen = fake_java(bare / "chosen", "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(bare / "chosen"))
    assert java.find_java() == chosen


def test_a_java_home_of_another_version_is_passed_over(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = fake_java(bare, "17.0.1")
    fake_java(bare / "old", "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(bare / "old"))
    assert java.find_java() == on_path


def test_the_usual_places_are_looked_at_last(bare: Path) -> None:
    installed = fake_java(bare / "jvm" / "java-21", "21")
    assert java.find_java() == installed


def test_every_java_found_is_named_when_none_is_accepted(bare: Path) -> None:
    fake_java(bare, "11.0.2")
    fake_java(bare / "jvm" / "java-25", "25")
    with pytest.raises(SetupError) as raised:
        java.find_java()
    assert "17 or 21 is needed" in raised.value.message
    assert f"{bare}/bin/java is Java 11" in raised.value.message
    assert f"{bare}/jvm/java-25/bin/java is Java 25" in raised.value.message
    assert raised.value.hint


def test_no_java_at_all_says_none(bare: Path) -> None:
    with pytest.raises(SetupError, match="found none"):
        java.find_java()


def test_a_java_that_does_not_run_is_passed_over(bare: Path) -> None:
    broken = fake_java(bare, "17")
    broken.write_text("#!/bin/sh\nexit 1\n")
    installed = fake_java(bare / "jvm" / "java-17", "17.0.9")
    assert java.find_java() == installed


@pytest.mark.parametrize(
    ("output", "major"), [("1.8.0_392", 8), ("11.0.2", 11), ("17.0.15", 17), ("21", 21), ("25-ea", 25)]
)
def test_the_major_version_is_read(tmp_path: Path, output: str, major: int) -> None:
    assert java.java_version(fake_java(tmp_path, output)) == major


def test_a_release_file_spares_starting_java(tmp_path: Path) -> None:
    assert java.java_version(fake_java(tmp_path, "17.0.3", release=True)) == 17
    assert not (tmp_path / "started").exists()


def test_the_environment_names_the_installation_behind_a_link(bare: Path) -> None:
    real = fake_java(bare / "real", "17.0.3", release=True)
    (bare / "bin").mkdir()
    (bare / "bin" / "java").symlink_to(real)
    assert java.java_environment() == {"JAVA_HOME": str(bare / "real")}


def test_the_environment_names_the_installation_behind_a_script(bare: Path) -> None:
    shim = fake_java(bare, "17.0.3")
    shim.write_text(shim.read_text().replace(f"java.home = {bare}", "java.home = /somewhere/else"))
    assert java.java_environment() == {"JAVA_HOME": "/somewhere/else"}


def test_the_real_java_is_one_that_is_accepted() -> None:
    home = Path(java.java_environment()["JAVA_HOME"])
    assert java.java_version(home / "bin" / "java") in java.ACCEPTED


@pytest.mark.parametrize(("manager", "command"), sorted(java.PACKAGES.items()))
def test_the_hint_is_this_platforms_command(
    bare: Path, monkeypatch: pytest.MonkeyPatch, manager: str, command: str
) -> None:
    tool(bare, manager, "")
    monkeypatch.setattr(java.os, "geteuid", lambda: 1000)
    assert java.install_hint() == f"run: sudo {command}"
    monkeypatch.setattr(java.os, "geteuid", lambda: 0)
    assert java.install_hint() == f"run: {command}"


def test_the_hint_on_a_mac_is_homebrews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java.sys, "platform", "darwin")
    assert java.install_hint() == "run: brew install openjdk@17"


def test_root_with_apt_gets_java_installed(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = fake_java(bare / "package", "17.0.3")
    (bare / "jvm").mkdir()
    # Fails until its lists are refreshed, as on a fresh image.
    tool(bare, "apt-get", f'''
        case "$*" in
          *update*) /bin/touch {bare}/updated ;;
          *openjdk-17*) [ -e {bare}/updated ] && /bin/mv {ready.parent.parent} {bare}/jvm/java-17 ;;
          *) exit 100 ;;
        esac''')  # fmt: skip
    monkeypatch.setattr(java.os, "geteuid", lambda: 0)
    assert java.ensure_java() == bare / "jvm" / "java-17" / "bin" / "java"


def test_who_is_not_root_gets_the_command_and_nothing_installed(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool(bare, "apt-get", f"/bin/touch {bare}/called")
    monkeypatch.setattr(java.os, "geteuid", lambda: 1000)
    assert java.main() == SetupError.exit_code
    assert "next: run: sudo apt-get install -y openjdk-17-jre-headless" in capsys.readouterr().err
    assert not (bare / "called").exists()


def tool(machine: Path, name: str, script: str) -> None:
    """A command of this name on the machine's PATH."""
    path = machine / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    os.chmod(path, 0o755)

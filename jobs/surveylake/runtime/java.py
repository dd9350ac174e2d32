"""The Java that runs Spark and Kafka. Standard library only: set-up needs it before the virtual environment exists.

python3 -m surveylake.runtime.java      (PYTHONPATH=jobs) prints the Java in use, and installs one where it may
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from surveylake.errors import SetupError, SurveylakeError

ACCEPTED = (17, 21)
"""Major versions that both Spark 4.2 and Kafka 4.2 run on. Later ones lack a method of Hadoop's clients (getSubject)."""
USUAL_PLACES = (
    "/usr/lib/jvm/*/bin/java",
    "/usr/java/*/bin/java",
    "/opt/java/*/bin/java",
    "/opt/homebrew/opt/openjdk@*/bin/java",
    "/usr/local/opt/openjdk@*/bin/java",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java",
)
PACKAGES = {
    "apt-get": "apt-get install -y openjdk-17-jre-headless",
    "dnf": "dnf install -y java-21-openjdk-headless",
    "zypper": "zypper install -y java-17-openjdk-headless",
    "pacman": "pacman -S jre17-openjdk-headless",
    "apk": "apk add openjdk17-jre-headless",
}
"""Package manager -> its command to install an accepted Java."""
APT_PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
"""In order of preference: a Debian or Ubuntu release has one of them or both."""


def find_java() -> Path:
    """Return the java executable to use: JAVA_HOME's, else the PATH's, else one from the usual places; 17 or 21 only.

    Raises SetupError, which names every other Java with its version, and the command to install one.
    """
    unfit = []
    for java in _candidates():
        try:
            version = java_version(java)
        except SetupError:
            continue
        if version in ACCEPTED:
            return java
        unfit.append(f"{java} is Java {version}")
    accepted = " or ".join(map(str, ACCEPTED))
    raise SetupError(f"Java {accepted} is needed; found {'; '.join(unfit) or 'none'}", install_hint())


def java_version(java: Path) -> int:
    """Return the major version of a java executable: 8, 17, 21 … Raises SetupError when it does not run.

    Reads the `release` file of its installation, if any: starting Java takes a tenth of a second.
    """
    release = java.resolve().parent.parent / "release"
    if release.is_file():
        match = re.search(r'^JAVA_VERSION="([^"]+)"', release.read_text("utf-8", "replace"), re.MULTILINE)
    else:
        match = re.search(r'version "([^"]+)"', _ask(java, "-version"))
    if not match:
        raise SetupError(f"{java} does not say which version it is", install_hint())
    numbers = re.findall(r"\d+", match[1])
    # Java 8 and older call themselves 1.8.
    return int(numbers[1] if numbers[0] == "1" and len(numbers) > 1 else numbers[0])


def java_environment() -> dict[str, str]:
    """Return the variable by which Spark's launchers find Java: JAVA_HOME of `find_java`."""
    return {"JAVA_HOME": str(java_home(find_java()))}


def java_home(java: Path) -> Path:
    """Return the installation folder of a java executable, also when that is a version manager's script."""
    home = java.resolve().parent.parent
    if (home / "release").is_file() or (home / "lib" / "modules").is_file():
        return home
    match = re.search(r"java\.home = (.+)", _ask(java, "-XshowSettings:properties", "-version"))
    return Path(match[1].strip()) if match else home


def require_class_path(jars: list[Path]) -> list[Path]:
    """Return the same jars. Raises SetupError when a path has a colon, at which Java splits a class path."""
    for jar in jars:
        if os.pathsep in str(jar):
            raise SetupError(
                f"the path {jar.parent} has a '{os.pathsep}', at which Java cuts the list of its jars",
                f"Move or copy the project to a folder without '{os.pathsep}' in its path.",
            )
    return jars


def install_hint() -> str:
    """Return one line: the command that installs an accepted Java on this platform."""
    if sys.platform == "darwin":
        return "run: brew install openjdk@17"
    for manager, command in PACKAGES.items():
        if shutil.which(manager):
            return f"run: {'' if os.geteuid() == 0 else 'sudo '}{command}"
    return "install a Java 17 or 21 runtime and set JAVA_HOME to its folder"


def ensure_java() -> Path:
    """Return the java executable, installed first where there is none and apt and root allow it. Raises SetupError."""
    try:
        return find_java()
    except SetupError:
        if not (shutil.which("apt-get") and os.geteuid() == 0 and _apt_install()):
            raise
    return find_java()


def _candidates() -> Iterator[Path]:
    yielded = set()
    for java in _places():
        if os.access(java, os.X_OK) and java.is_file() and java.resolve() not in yielded:
            yielded.add(java.resolve())
            yield java


def _places() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"]) / "bin" / "java"
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(folder or ".") / "java"
    for pattern in USUAL_PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def _ask(java: Path, *arguments: str) -> str:
    """Return the output of `java arguments`, both streams. Raises SetupError when it does not run or fails."""
    try:
        process = subprocess.run([java, *arguments], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"{java} does not run: {error}", install_hint()) from error
    return process.stdout + process.stderr


def _apt_install() -> bool:
    """Install one of APT_PACKAGES, after refreshing apt's lists when they have neither. Returns whether one was installed."""
    print("installing Java 17 or 21 with apt-get", file=sys.stderr)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for attempt in range(2):
        if attempt:
            subprocess.run(["apt-get", "-qq", "update"], env=quiet, check=False, stdout=sys.stderr)
        for package in APT_PACKAGES:
            command = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", package]
            if subprocess.run(command, env=quiet, check=False, capture_output=True).returncode == 0:
                return True
    return False


def main() -> int:
    """Print the Java in use, installed first where it may be. Returns the exit code: 3, with a hint, where there is none."""
    try:
        java = ensure_java()
        print(f"Java {java_version(java)}: {java}")
    except SurveylakeError as error:
        print(f"error: {error.message}\n  next: {error.hint}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

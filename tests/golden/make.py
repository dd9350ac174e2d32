"""Make the golden lakes of a release: what it wrote, kept so that every later release can be tried on it.

Run it once per release, on that release's checkout:  .venv/bin/python tests/golden/make.py tests/golden/0.1.0

Only the verbs are used, as a user would. Two archives come out, each with a lake, its exports and its Kafka (data folder, so that
a stream can go on):

sample.tar.gz   the survey's own sample, as `make run` takes it in; its contract is copied beside it (sample.toml)
epochs.tar.gz   a topic that was made anew (two epochs), records judged again under a corrected contract, files compacted
"""

import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from confluent_kafka.admin import AdminClient

ROOT = Path(__file__).resolve().parents[2]
SURVEY = ROOT / "conf" / "surveys" / "food_preference.toml"
SAMPLE = SURVEY.with_suffix(".sample.csv")
COMPACT_SIZE = "spark.databricks.delta.optimize.minFileSize"


def verb(name: str, *arguments: object) -> None:
    """Run a verb to its end; an error ends the making."""
    command = [sys.executable, str(ROOT / "jobs" / f"{name}.py"), *map(str, arguments)]
    print(f"{name} …", flush=True)
    subprocess.run(command, check=True, cwd=ROOT)


def part_of_sample(path: Path, first: int, last: int) -> Path:
    """Write rows first..last - 1 of the sample, with its header."""
    header, *rows = SAMPLE.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *rows[first:last]]) + "\n", encoding="utf-8")
    return path


class Broker:
    """The release's own Kafka on a data folder, stopped when the block ends."""

    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = str(probe.getsockname()[1])
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "jobs" / "broker.py"), "--data", str(data), "--port", port],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.bootstrap = self._process.stdout.readline().removeprefix("bootstrap ").strip()

    def __enter__(self) -> str:
        return self.bootstrap

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)


def make_sample(folder: Path) -> None:
    """Take the sample in, and export it."""
    lake = ("--lake", folder / "lake")
    with Broker(folder / "kafka") as bootstrap:
        verb("produce", SAMPLE, "--bootstrap", bootstrap)
        verb("stream", *lake, "--bootstrap", bootstrap)
        verb("aggregate", *lake)
        verb("export", *lake, "--out", folder / "out")


def make_epochs(folder: Path) -> None:
    """Take in two epochs under a contract that is too strict; correct it, judge again, compact, export."""
    correct, strict = folder / "survey.toml", folder / "strict.toml"
    text = SURVEY.read_text(encoding="utf-8").replace('topic = "Food"', 'topic = "Golden"')
    correct.write_text(text, encoding="utf-8")
    strict.write_text(text.replace("max = 110", "max = 30"), encoding="utf-8")
    lake = ("--lake", folder / "lake")
    with Broker(folder / "kafka") as bootstrap:
        at = ("--bootstrap", bootstrap)
        for epoch, more in enumerate(((), ("--accept-new-topic",))):
            for first in (epoch * 100, epoch * 100 + 50):
                rows = part_of_sample(folder / f"rows-{first}.csv", first, first + 50)
                verb("produce", rows, "--survey", strict, *at)
                verb("stream", *lake, "--survey", strict, *at, *(more if first == epoch * 100 else ()))
            if epoch == 0:
                admin = AdminClient({"bootstrap.servers": bootstrap})
                admin.delete_topics(["Golden"])["Golden"].result()
                while "Golden" in admin.list_topics(timeout=10).topics:
                    time.sleep(0.1)
        verb("replay", *lake, "--survey", correct)
        verb("maintain", *lake)
        verb("aggregate", *lake, "--survey", correct)
        verb("export", *lake, "--survey", correct, "--out", folder / "out")


def archive(folder: Path, path: Path) -> None:
    """Pack a folder. Locks, logs and archives of classes stay behind."""

    def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        name = Path(entry.name).name
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return (
            None
            if "lock" in name or (name.endswith((".log", ".jsa")) and "kafka" not in entry.name)
            else entry
        )

    with tarfile.open(path, "w:gz", compresslevel=9) as packed:
        packed.add(folder, arcname=".", filter=kept)


def main() -> None:
    """Make both archives in the folder that is named."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(SURVEY, target / "sample.toml")
    for name, make in (("sample", make_sample), ("epochs", make_epochs)):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            make(folder)
            archive(folder, target / f"{name}.tar.gz")
        print(f"{target / name}.tar.gz: {(target / f'{name}.tar.gz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

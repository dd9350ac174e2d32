"""One topic, taken in on a cluster of several machines into an object store: by our stream, and by the plain query beside it."""

import hashlib
import io
import json
import re
from collections import Counter
from contextlib import AbstractContextManager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyarrow.fs import FileType
from pyspark.sql import SparkSession

import verify
from faults.damage import forget_logs
from faults.ledger import Ledger
from faults.rows import brief
from support.driver import Driver
from support.object_store import KEY, REGION, SECRET
from support.standalone import BUCKET, Standalone
from support.survey_env import SurveyEnv
from support.waiting import until
from surveylake.paths import CONF, JOBS

TESTS = Path(__file__).parent.parent
LIMIT = 150
"""Records per micro-batch."""
JOB_SECONDS = 500
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
"""What Delta's guide has its users set."""


@dataclass(frozen=True)
class ClusterLake:
    """A topic of its own name, and the lake and the plain query's table under that name in the store.

    `endpoint` is where the jobs find the store: its own, or that of a proxy.
    """

    cluster: Standalone
    spark: SparkSession
    """this process's own, for verify"""
    env: SurveyEnv
    ledger: Ledger
    endpoint: str = ""

    @property
    def name(self) -> str:
        return self.env.topic

    @property
    def uri(self) -> str:
        return f"s3a://{BUCKET}/{self.name}/lake"

    @property
    def plain_uri(self) -> str:
        return f"s3a://{BUCKET}/{self.name}/plain"

    @cached_property
    def conf(self) -> Path:
        """conf/cluster.toml with this broker and this store."""
        text = (CONF / "cluster.toml").read_text(encoding="utf-8")
        for key, value in {
            "bootstrap": self.cluster.for_cluster, "max_offsets_per_trigger": LIMIT,
            "endpoint": self.endpoint or self.cluster.store.settings.endpoint, "path_style": True, "region": REGION,
        }.items():  # fmt: skip
            text, count = re.subn(rf"(?m)^{key} = \S+", f"{key} = {json.dumps(value)}", text)
            assert count == 1, key
        path = self.env.folder / "cluster.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def stream(self, machine: str, *more: str) -> AbstractContextManager[Driver]:
        """Our stream, submitted from a machine."""
        return self.cluster.submitted(
            machine,
            "jobs/stream.py",
            "--conf",
            self.conf,
            "--survey",
            self.env.survey,
            "--lake",
            self.uri,
            "--insecure",
            *more,
        )

    def plain(self, machine: str) -> AbstractContextManager[Driver]:
        """The plain query, submitted from a machine."""
        store = {
            "endpoint": self.endpoint or self.cluster.store.settings.endpoint, "endpoint.region": REGION,
            "path.style.access": "true",
        }  # fmt: skip
        settings = DELTA | {f"spark.hadoop.fs.s3a.{key}": value for key, value in store.items()}
        words = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
        job = (
            TESTS / "faults" / "plain_job.py",
            self.plain_uri,
            self.cluster.for_cluster,
            self.name,
            str(LIMIT),
        )
        return self.cluster.submitted(machine, *words, *job, ours=False, PYTHONPATH=f"{JOBS}:{TESTS}")

    def until_in_batch(self, number: int, ours: Driver | None = None, plain: Driver | None = None) -> None:
        """Wait until our stream, and the plain query, are in a micro-batch of this number or a later one."""
        for driver, folder in ((ours, "lake/_checkpoints/records/epoch-1"), (plain, "plain/checkpoint")):
            if driver is not None:
                until(lambda: self.has(f"{folder}/offsets/{number}") or driver.ended, JOB_SECONDS)  # noqa: B023 - awaited at once
                assert not driver.ended, driver.said

    def has(self, path: str) -> bool:
        """Whether the store has a file of this topic's folder."""
        (info,) = self.cluster.store.files().get_file_info([f"{BUCKET}/{self.name}/{path}"])
        return bool(info.type == FileType.File)

    def places(self) -> list[tuple[int, int, str]]:
        """Partition, offset and sha256 of the bytes of each record in our table."""
        columns = _columns(self.cluster, f"{self.uri}/records", ["partition", "offset", "value"])
        return sorted((p, o, hashlib.sha256(value).hexdigest()) for p, o, value in columns)

    def all_once(self) -> str:
        """Assert that every acknowledged record is in our table once, with its bytes, and nothing else: by a reader that is not Spark."""
        acked = sorted((ack.partition, ack.offset, ack.sha) for ack in self.ledger)
        assert len(acked) == self.ledger.settled > 0
        assert self.places() == acked
        return "all, each once"

    def assert_proved(self) -> None:
        """Assert that `jobs/verify.py` proves our lake, from this machine: by the broker's other listener, and without a proxy."""
        for key, value in {"access.key": KEY, "secret.key": SECRET}.items():
            self.spark._jsc.hadoopConfiguration().set(f"fs.s3a.bucket.{BUCKET}.{key}", value)
        conf, ours = self.env.folder / "verify.toml", self.conf.read_text(encoding="utf-8")
        direct = self.cluster.store.settings.endpoint
        conf.write_text(ours.replace(self.endpoint or direct, direct), encoding="utf-8")
        forget_logs(self.spark)
        words = ["--conf", str(conf), "--survey", str(self.env.survey), "--lake", self.uri]
        with redirect_stdout(io.StringIO()) as said:
            code = verify.main([*words, "--bootstrap", self.cluster.for_host, "--insecure"])
        assert code == 0, said.getvalue()
        assert f"proved: {self.ledger.settled:,} records" in said.getvalue()

    def counted(self) -> str:
        """What the plain query's table holds of the acknowledged records."""
        rows = Counter(_columns(self.cluster, f"{self.plain_uri}/table", ["partition", "offset"]))
        acked = {(ack.partition, ack.offset) for ack in self.ledger}
        doubled = sum(count > 1 for count in rows.values())
        found = f"{len(acked & set(rows)):,} of {len(acked):,}"
        return f"{found}, {f'{doubled:,} of them twice' if doubled else 'each once'}"


def outcome(driver: Driver) -> str:
    """How the plain query ended, briefly."""
    code = driver.wait(JOB_SECONDS)
    said = [line for line in driver.said.splitlines() if line.startswith("ended: ")]
    return (
        "it goes on"
        if code == 0
        else brief(f"it stops: {said[-1].removeprefix('ended: ') if said else driver.said[-300:]}")
    )


def _columns(cluster: Standalone, uri: str, names: list[str]) -> list[tuple[Any, ...]]:
    """Some columns of a table in the store, by delta-rs; nothing where there is none."""
    try:
        table = DeltaTable(uri, storage_options=cluster.store.options).to_pyarrow_table(columns=names)
    except TableNotFoundError:
        return []
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))

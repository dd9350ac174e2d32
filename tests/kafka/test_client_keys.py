"""A client's certificate and key: which forms Java reads, and what is said of the others. No broker; openssl makes the keys."""

import shlex
import subprocess
from pathlib import Path

import pytest

from surveylake.config import Kafka
from surveylake.errors import ConfigError
from surveylake.kafka.credentials import KEY_PASSWORD_VARIABLE
from surveylake.kafka.options import client_options, spark_options

PASSWORD = "HUNTER2"
FORMS = {
    "plain": ["pkcs8", "-topk8", "-nocrypt"],
    "pbe": ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", f"pass:{PASSWORD}"],
    "pbes2": ["pkcs8", "-topk8", "-passout", f"pass:{PASSWORD}"],
    "pkcs1": ["rsa", "-traditional"],
}
"""Form -> how openssl makes it of an RSA key."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one certificate, and its key in each form."""
    folder = tmp_path_factory.mktemp("keys")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mia",
            "-keyout", folder / "first.key", "-out", folder / "client.crt")  # fmt: skip
    for form, (command, *words) in FORMS.items():
        openssl(command, *words, "-in", folder / "first.key", "-out", folder / f"{form}.key")
    return folder


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_PASSWORD_VARIABLE, PASSWORD)


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def with_key(keys: Path, name: str) -> Kafka:
    files = {"ssl.certificate.location": str(keys / "client.crt"), "ssl.key.location": str(keys / name)}
    return Kafka(bootstrap="far.test:9093", options={"security.protocol": "SSL", **files})


@pytest.mark.parametrize("form", ["plain", "pbe"])
def test_a_key_that_java_reads_is_handed_on_as_text(keys: Path, form: str) -> None:
    given = spark_options(with_key(keys, f"{form}.key"))
    assert given["kafka.ssl.keystore.key"] == (keys / f"{form}.key").read_text().strip()
    assert given["kafka.ssl.keystore.certificate.chain"] == (keys / "client.crt").read_text().strip()
    assert given.get("kafka.ssl.key.password") == (PASSWORD if form == "pbe" else None)
    assert not [name for name in given if name.endswith((".certificate.location", ".key.location"))]


@pytest.mark.parametrize(("form", "said"), [("pbes2", "PBES2"), ("pkcs1", "not PKCS#8")])
def test_a_key_that_java_does_not_read_is_refused_with_the_command_that_converts_it(
    keys: Path, form: str, said: str
) -> None:
    kafka = with_key(keys, f"{form}.key")
    assert client_options(kafka)["ssl.key.location"] == str(keys / f"{form}.key")
    with pytest.raises(ConfigError, match=said) as caught:
        spark_options(kafka)
    words = shlex.split(caught.value.hint.removeprefix("Convert it: "))
    words[-1] = str(keys / "converted.key")
    if form == "pbes2":
        words += ["-passin", f"pass:{PASSWORD}", "-passout", f"pass:{PASSWORD}"]
    openssl(*words[1:])
    assert spark_options(with_key(keys, "converted.key"))


@pytest.mark.parametrize("form", ["pbe", "pbes2"])
def test_an_encrypted_key_needs_the_variable(keys: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_PASSWORD_VARIABLE)
    for translate in (client_options, spark_options):
        with pytest.raises(ConfigError, match=rf"{form}\.key is encrypted") as caught:
            translate(with_key(keys, f"{form}.key"))
        assert KEY_PASSWORD_VARIABLE in caught.value.hint


@pytest.mark.parametrize(
    ("name", "said"), [("none.key", "names no file that can be read"), ("client.crt", "holds no PRIVATE KEY")]
)
def test_a_file_that_is_no_key_is_named(keys: Path, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        client_options(with_key(keys, name))
    assert name in caught.value.message


@pytest.mark.parametrize("left", ["ssl.certificate.location", "ssl.key.location"])
def test_half_a_pair_is_refused(keys: Path, left: str) -> None:
    kafka = with_key(keys, "plain.key")
    half = {name: value for name, value in kafka.options.items() if name != left}
    with pytest.raises(ConfigError, match="go together"):
        client_options(kafka.model_copy(update={"options": half}))

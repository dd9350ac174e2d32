"""A broker with TLS, passwords and permissions; its certificates are made for the test, with openssl."""

import subprocess
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from surveylake.config import Kafka
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import LOOPBACK, free_port

PASSWORD = 'HUNTER2"\\x'
"""Of every user: with a quote and a backslash, and easy to find where it should not be."""
USERS = ("ann", "dora", "nobody")
CERTIFICATES = {
    "SECURE": (f"IP:{LOOPBACK}", 2),
    "EXPIRED": (f"IP:{LOOPBACK}", -1),
    "ELSEWHERE": ("DNS:elsewhere.test", 2),
}
"""Listener -> the address its certificate names, and for how many days it holds."""


def authority(folder: Path, name: str) -> Path:
    """A new certificate authority: its certificate."""
    certificate = folder / f"{name}.pem"
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-keyout", certificate.with_suffix(".key"), "-out", certificate)  # fmt: skip
    return certificate


def _certificate(folder: Path, name: str, ca: Path, address: str, days: int) -> Path:
    """A key and its certificate in one file, as Kafka reads them."""
    key, asked, signed, more = (folder / f"{name}.{end}" for end in ("key", "csr", "crt", "ext"))
    more.write_text(f"subjectAltName={address}\n", encoding="utf-8")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
    _openssl("x509", "-req", "-in", asked, "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial",
             "-days", str(days), "-extfile", more, "-out", signed)  # fmt: skip
    both = folder / f"{name}.both.pem"
    both.write_text(key.read_text() + signed.read_text(), encoding="utf-8")
    return both


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class TlsBroker:
    """One plain listener, whose users may do all, and one with TLS and passwords for each certificate."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.other_ca = authority(folder, "ca"), authority(folder, "other")
        self._ports = {name: free_port() for name in ("PLAINTEXT", "CONTROLLER", *CERTIFICATES)}
        self.broker = EmbeddedBroker(
            folder / "kafka", self._ports["PLAINTEXT"], extra=self._properties(folder)
        )

    def at(self, listener: str, user: str = "ann", ca: Path | None = None, **options: str) -> Kafka:
        """How a user reaches a listener; `options` with _ for . go before ours."""
        ours = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": user,
                "ssl.ca.location": str(ca or self.ca)}  # fmt: skip
        given = {name.replace("_", "."): value for name, value in options.items()}
        defaults = {} if given.get("security.protocol") == "PLAINTEXT" else ours
        return Kafka(
            bootstrap=f"{LOOPBACK}:{self._ports[listener]}", options={**defaults, **given}, partitions=1
        )

    def allow(self, user: str, topic: str, *operations: AclOperation) -> None:
        """Let a user do this with a topic."""
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap})
        acls = [AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{user}", "*", one,
                           AclPermissionType.ALLOW) for one in operations]  # fmt: skip
        for done in admin.create_acls(acls).values():
            done.result(20)

    def _properties(self, folder: Path) -> dict[str, str]:
        addresses = {name: f"{name}://{LOOPBACK}:{port}" for name, port in self._ports.items()}
        speaks = {
            name: "PLAINTEXT" if name in ("PLAINTEXT", "CONTROLLER") else "SASL_SSL" for name in self._ports
        }
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        users = " ".join(f'user_{user}="{quoted}"' for user in USERS)
        properties = {
            "listeners": ",".join(addresses.values()),
            "advertised.listeners": ",".join(a for name, a in addresses.items() if name != "CONTROLLER"),
            "controller.quorum.voters": f"1@{LOOPBACK}:{self._ports['CONTROLLER']}",
            "listener.security.protocol.map": ",".join(f"{name}:{what}" for name, what in speaks.items()),
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }
        for name, (address, days) in CERTIFICATES.items():
            prefix = f"listener.name.{name.lower()}"
            properties[f"{prefix}.ssl.keystore.type"] = "PEM"
            properties[f"{prefix}.ssl.keystore.location"] = str(
                _certificate(folder, name, self.ca, address, days)
            )
            properties[f"{prefix}.plain.sasl.jaas.config"] = (
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
            )
        return properties

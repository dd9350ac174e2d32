"""A broker with TLS, several ways to log in, and permissions; its certificates are made for the test, with openssl."""

import os
import subprocess
from pathlib import Path
from typing import Self

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from support.token_endpoint import AUDIENCE, TokenEndpoint
from surveylake.config import Kafka
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import LOOPBACK, free_port

PASSWORD = 'HUNTER2"\\x'
"""Of every user and key: with a quote and a backslash, and easy to find where it should not be."""
SECRET = "HUNTER2-of-the-client"
"""Of every OAuth client."""
USERS = ("ann", "dora", "nobody")
CERTIFICATES = {
    "SECURE": (f"IP:{LOOPBACK}", 2),
    "EXPIRED": (f"IP:{LOOPBACK}", -1),
    "ELSEWHERE": ("DNS:elsewhere.test", 2),
}
"""Listener -> the address its certificate names, and for how many days it holds."""
LOGINS = {"SCRAM": "SCRAM-SHA-512", "OAUTH": "OAUTHBEARER", "MUTUAL": ""}
"""Listener -> its SASL mechanism, '' where clients show a certificate. They share the certificate of SECURE."""
PACKAGE = "org.apache.kafka.common.security"


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


def _openssl(*arguments: str | Path, **environment: str) -> None:
    subprocess.run(
        ["openssl", *map(str, arguments)], check=True, capture_output=True, env={**os.environ, **environment}
    )


class TlsBroker:
    """One plain listener, whose users may do all, and others with TLS: a listener for each certificate and each login."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ca, self.other_ca = authority(folder, "ca"), authority(folder, "other")
        self.tokens = TokenEndpoint(folder, SECRET)
        self._ports = {name: free_port() for name in ("PLAINTEXT", "CONTROLLER", *CERTIFICATES, *LOGINS)}
        self.broker = EmbeddedBroker(
            folder / "kafka", self._ports["PLAINTEXT"], extra=self._properties(folder)
        )

    def __enter__(self) -> Self:
        # A broker reads the tokens' public keys only from a place that its JVM was given.
        os.environ["JDK_JAVA_OPTIONS"] = "".join(
            f" -Dorg.apache.kafka.sasl.oauthbearer.allowed.{what}={place}"
            for what, place in (("urls", self.tokens.keys.as_uri()), ("files", self.tokens.keys))
        )
        try:
            self.broker.start()
        finally:
            del os.environ["JDK_JAVA_OPTIONS"]
        return self

    def __exit__(self, *_: object) -> None:
        self.broker.stop()
        self.tokens.close()

    def at(self, listener: str, user: str = "ann", ca: Path | None = None, **options: str) -> Kafka:
        """How a user reaches a listener; `options` with _ for . go before ours."""
        given = {name.replace("_", "."): value for name, value in options.items()}
        defaults = {} if given.get("security.protocol") == "PLAINTEXT" else self._login(listener, user)
        if defaults:
            defaults["ssl.ca.location"] = str(ca or self.ca)
        return Kafka(
            bootstrap=f"{LOOPBACK}:{self._ports[listener]}", options={**defaults, **given}, partitions=1
        )

    def allow(
        self, user: str, name: str, *operations: AclOperation, kind: ResourceType = ResourceType.TOPIC
    ) -> None:
        """Let a user do this with a topic, or with a resource of another kind."""
        admin = self.admin()
        acls = self._acls(user, name, operations, kind)
        for done in admin.create_acls(acls).values() if acls else []:
            done.result(20)

    def admin(self) -> AdminClient:
        """A client that may do all."""
        return AdminClient({"bootstrap.servers": self.broker.bootstrap})

    def add_scram_user(self, user: str) -> None:
        """Give a user the password PASSWORD for SCRAM-SHA-512."""
        wish = UserScramCredentialUpsertion(
            user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), PASSWORD.encode()
        )
        admin = self.admin()
        for done in admin.alter_user_scram_credentials([wish]).values():
            done.result(20)

    def client_certificate(self, user: str) -> tuple[Path, Path]:
        """A user's certificate, and its key, encrypted with PASSWORD."""
        plain, locked = self._folder / f"{user}.key", self._folder / f"{user}.locked.key"
        if not locked.exists():
            _certificate(self._folder, user, self.ca, "DNS:client.test", 2)
            _openssl("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", plain, "-out", locked,
                     "-passout", "env:LOCK", LOCK=PASSWORD)  # fmt: skip
        return self._folder / f"{user}.crt", locked

    def _login(self, listener: str, user: str) -> dict[str, str]:
        if listener == "MUTUAL":
            certificate, key = self.client_certificate(user)
            return {"security.protocol": "SSL", "ssl.certificate.location": str(certificate),
                    "ssl.key.location": str(key)}  # fmt: skip
        mechanism = {"security.protocol": "SASL_SSL", "sasl.mechanism": LOGINS.get(listener, "PLAIN")}
        if listener == "OAUTH":
            oauth = {"client.id": user, "token.endpoint.url": self.tokens.url, "scope": "survey"}
            return mechanism | {f"sasl.oauthbearer.{name}": value for name, value in oauth.items()}
        return {**mechanism, "sasl.username": user}

    @staticmethod
    def _acls(
        user: str, name: str, operations: tuple[AclOperation, ...], kind: ResourceType
    ) -> list[AclBinding]:
        return [AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{user}", "*", one,
                           AclPermissionType.ALLOW) for one in operations]  # fmt: skip

    def _properties(self, folder: Path) -> dict[str, str]:
        addresses = {name: f"{name}://{LOOPBACK}:{port}" for name, port in self._ports.items()}
        speaks = dict.fromkeys(self._ports, "SASL_SSL")
        speaks |= {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", "MUTUAL": "SSL"}
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
            "sasl.oauthbearer.jwks.endpoint.url": self.tokens.keys.as_uri(),
            "sasl.oauthbearer.expected.audience": AUDIENCE,
        }
        for name, (address, days) in CERTIFICATES.items():
            prefix = f"listener.name.{name.lower()}"
            store = _certificate(folder, name, self.ca, address, days)
            properties |= _key_store(prefix, store)
            properties[f"{prefix}.plain.sasl.jaas.config"] = (
                f"{PACKAGE}.plain.PlainLoginModule required {users};"
            )
        for name, mechanism in LOGINS.items():
            prefix = f"listener.name.{name.lower()}"
            properties |= _key_store(prefix, folder / "SECURE.both.pem")
            if mechanism:
                properties[f"{prefix}.sasl.enabled.mechanisms"] = mechanism
        return properties | {
            "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{PACKAGE}.scram.ScramLoginModule required;",
            "listener.name.oauth.oauthbearer.sasl.jaas.config":
                f'{PACKAGE}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";',
            "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class":
                f"{PACKAGE}.oauthbearer.OAuthBearerValidatorCallbackHandler",
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.truststore.type": "PEM",
            "listener.name.mutual.ssl.truststore.location": str(self.ca),
            "listener.name.mutual.ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/",
        }  # fmt: skip


def _key_store(prefix: str, both: Path) -> dict[str, str]:
    return {f"{prefix}.ssl.keystore.type": "PEM", f"{prefix}.ssl.keystore.location": str(both)}

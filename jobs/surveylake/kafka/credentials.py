"""Who a client is to Kafka: a password, an OAuth client or a certificate, in the names of librdkafka and of Java."""

import base64
import binascii
import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from surveylake.errors import ConfigError

PASSWORD_VARIABLE = "SURVEYLAKE_SASL_PASSWORD"  # noqa: S105 - the name, not the password
KEY_PASSWORD_VARIABLE = "SURVEYLAKE_SSL_KEY_PASSWORD"  # noqa: S105 - the name, not the password
OAUTH = "OAUTHBEARER"
CLIENT_ID, ENDPOINT, SCOPE = (
    f"sasl.oauthbearer.{name}" for name in ("client.id", "token.endpoint.url", "scope")
)
CLIENT_SECRET = "sasl.oauthbearer.client.secret"  # noqa: S105 - the option's name
CERTIFICATE, KEY, KEY_PASSWORD = "ssl.certificate.location", "ssl.key.location", "ssl.key.password"
PACKAGE = "org.apache.kafka.common.security"
LOGIN_MODULES = {
    "PLAIN": f"{PACKAGE}.plain.PlainLoginModule",
    "SCRAM-SHA-256": f"{PACKAGE}.scram.ScramLoginModule",
    "SCRAM-SHA-512": f"{PACKAGE}.scram.ScramLoginModule",
    OAUTH: f"{PACKAGE}.oauthbearer.OAuthBearerLoginModule",
}
HIDES_THE_REST = 'password="" '
"""Spark logs a JAAS line at DEBUG, without what follows this word: a clientSecret it would show. Kafka ignores it here."""
NOT_JAVAS = frozenset({
    "sasl.username", "sasl.password", CLIENT_ID, CLIENT_SECRET, SCOPE, "sasl.oauthbearer.method",
    CERTIFICATE, KEY, "ssl.ca.location",
})  # fmt: skip
"""Options that Java takes in another form: a JAAS line, a key store, a trust store."""
ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY"
PBES2 = bytes.fromhex("06092a864886f70d01050d")
"""The object identifier of the encryption that openssl uses by itself, as it stands in a key."""
PEM_BLOCK = r"-----BEGIN ([A-Z0-9 ]*{what})-----.*?-----END \1-----"


def credentials(options: dict[str, str], sasl: bool) -> dict[str, str]:
    """Return what `options` lack to log in, in librdkafka's names: secrets, from the environment, are among them.

    Never print or log the result. Raises ConfigError when the options do not fit together, or a secret is missing.
    """
    return (_login(options) if sasl else _no_login(options)) | _key_password(options)


def java_credentials(options: dict[str, str]) -> dict[str, str]:
    """Return the login, key store and trust store of checked options in Java's names. Never print or log the result.

    Key and certificate are passed as text: executors need no copy of the two files. Raises ConfigError for a key in a
    form that Kafka's Java client does not read.
    """
    java: dict[str, str] = {}
    if mechanism := options.get("sasl.mechanism"):
        fields = {"username": options.get("sasl.username"), "password": options.get("sasl.password")}
        if mechanism == OAUTH:
            names = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "scope": SCOPE}
            fields = {name: options.get(option) for name, option in names.items()}
            java["sasl.login.callback.handler.class"] = (
                f"{PACKAGE}.oauthbearer.OAuthBearerLoginCallbackHandler"
            )
        words = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items() if value)
        hidden = HIDES_THE_REST if mechanism == OAUTH else ""
        java["sasl.jaas.config"] = f"{LOGIN_MODULES[mechanism]} required {hidden}{words};"
    if CERTIFICATE in options:
        java |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": "\n".join(_blocks(options, CERTIFICATE, "CERTIFICATE")),
            "ssl.keystore.key": _java_key(options),
        }
    if "ssl.ca.location" in options:
        java |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": options["ssl.ca.location"]}
    return java


def is_loopback(host: str) -> bool:
    """Return whether a host, by name or address, is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _login(options: dict[str, str]) -> dict[str, str]:
    """Return the mechanism, and the password or the client's secret."""
    mechanism = options.get("sasl.mechanism", "SCRAM-SHA-512")
    if mechanism not in LOGIN_MODULES:
        raise ConfigError(
            f"kafka.options: sasl.mechanism '{mechanism}' is not supported",
            f"Use one of {', '.join(LOGIN_MODULES)}.",
        )
    for name in (CLIENT_ID, ENDPOINT) if mechanism == OAUTH else ("sasl.username",):
        if not options.get(name):
            who = f"{OAUTH} needs" if mechanism == OAUTH else "SASL needs"
            raise ConfigError(f"kafka.options: {who} {name}", "Add it to [kafka.options].")
    secret = os.environ.get(PASSWORD_VARIABLE, "")
    if not secret:
        what = "the client's secret" if mechanism == OAUTH else "a password"
        raise ConfigError(f"SASL needs {what}", f"Set the environment variable {PASSWORD_VARIABLE}.")
    if mechanism != OAUTH:
        return {"sasl.mechanism": mechanism, "sasl.password": secret}
    endpoint = urlsplit(options[ENDPOINT])
    # Java's client would also read file: addresses, and send the secret to an http: one (CVE-2025-27817).
    if endpoint.scheme != "https" and not (
        endpoint.scheme == "http" and is_loopback(endpoint.hostname or "")
    ):
        raise ConfigError(
            f"kafka.options: {ENDPOINT} is no https address", "The client's secret is sent to it."
        )
    return {"sasl.oauthbearer.method": "oidc", CLIENT_SECRET: secret}


def _no_login(options: dict[str, str]) -> dict[str, str]:
    stray = sorted(name for name in options if name.startswith("sasl."))
    if stray:
        raise ConfigError(f"kafka.options: {', '.join(stray)} without SASL in security.protocol",
                          'Set security.protocol = "SASL_SSL", or take them out.')  # fmt: skip
    return {}


def _key_password(options: dict[str, str]) -> dict[str, str]:
    """Return the private key's password where it has one. Raises ConfigError for half a certificate or a missing password."""
    if (CERTIFICATE in options) != (KEY in options):
        raise ConfigError(f"kafka.options: {CERTIFICATE} and {KEY} go together", "Give both, or take it out.")
    if KEY not in options:
        return {}
    _blocks(options, CERTIFICATE, "CERTIFICATE")
    if not _blocks(options, KEY, "PRIVATE KEY")[0].startswith(ENCRYPTED):
        return {}
    password = os.environ.get(KEY_PASSWORD_VARIABLE, "")
    if not password:
        raise ConfigError(
            f"{options[KEY]} is encrypted", f"Set the environment variable {KEY_PASSWORD_VARIABLE}."
        )
    return {KEY_PASSWORD: password}


def _java_key(options: dict[str, str]) -> str:
    """Return the PEM text of the private key. Raises ConfigError for a form that Java does not read."""
    key = _blocks(options, KEY, "PRIVATE KEY")[0]
    if key.startswith(ENCRYPTED):
        try:
            strange = PBES2 in base64.b64decode("".join(key.splitlines()[1:-1]))
        except binascii.Error:
            strange = True
        fault, more = "is encrypted in a way (PBES2)", " -v1 PBE-SHA1-3DES"
    else:
        strange = not key.startswith("-----BEGIN PRIVATE KEY")
        fault, more = "is in a form (not PKCS#8)", " -nocrypt"
    if strange:
        raise ConfigError(
            f"{options[KEY]} {fault} that Spark's Kafka client does not read",
            f"Convert it: openssl pkcs8 -topk8{more} -in {options[KEY]} -out client.key",
        )
    return key


def _blocks(options: dict[str, str], option: str, what: str) -> list[str]:
    """Return the PEM blocks of a kind in the file that an option names, at least one."""
    path = Path(options[option])
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise ConfigError(
            f"kafka.options: {option} names no file that can be read: {path}", str(error.strerror)
        ) from error
    blocks = [found[0] for found in re.finditer(PEM_BLOCK.format(what=what), text, re.DOTALL)]
    if not blocks:
        raise ConfigError(f"kafka.options: {option}: {path} holds no {what} in PEM form", "Give a PEM file.")
    return blocks


def _quoted(text: str) -> str:
    """Return a JAAS string: Java reads it with StreamTokenizer, where a bare line end would end it and \\ begins an escape."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'

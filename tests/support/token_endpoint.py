"""A token endpoint on loopback, as an identity provider has one: client credentials in, a signed JWT out."""

import base64
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

AUDIENCE = "kafka"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class TokenEndpoint:
    """Runs until `close`; `secret` is every client's, and a client's id becomes the token's subject."""

    def __init__(self, folder: Path, secret: str) -> None:
        self._key = folder / "tokens.key"
        subprocess.run(["openssl", "genrsa", "-out", self._key, "2048"], check=True, capture_output=True)
        self.keys = folder / "jwks.json"
        self.keys.write_text(json.dumps({"keys": [self._public()]}), "utf-8")
        self.asked: list[str] = []
        """Id of each client that was given a token."""
        self.signatures: list[str] = []
        """End of each token that was given: whoever has one is that client, until it expires."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, secret))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, client: str, scope: str) -> str:
        """A token that holds for five minutes, signed by RS256."""
        now = int(time.time())
        claims = {"sub": client, "aud": AUDIENCE, "scope": scope, "iat": now, "exp": now + 300}
        parts = [
            _base64(json.dumps(part).encode())
            for part in ({"alg": "RS256", "kid": "1", "typ": "JWT"}, claims)
        ]
        signed = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self._key], input=".".join(parts).encode(),
            check=True, capture_output=True,
        )  # fmt: skip
        return ".".join([*parts, _base64(signed.stdout)])

    def _public(self) -> dict[str, str]:
        told = subprocess.run(
            ["openssl", "rsa", "-in", self._key, "-noout", "-modulus"],
            check=True,
            capture_output=True,
            text=True,
        )
        modulus = bytes.fromhex(told.stdout.strip().partition("=")[2])
        return {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": _base64(modulus), "e": "AQAB"}


def _handler(endpoint: TokenEndpoint, secret: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            basic = base64.b64decode(self.headers.get("Authorization", "Basic ").split(" ", 1)[1]).decode()
            client, _, given = basic.partition(":")
            if given != secret or form.get("grant_type") != ["client_credentials"]:
                self._answer(401, {"error": "invalid_client"})
                return
            endpoint.asked.append(client)
            token = endpoint.token(client, form.get("scope", ["none"])[0])
            endpoint.signatures.append(token.rpartition(".")[2])
            self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 300})

        def _answer(self, status: int, document: dict[str, object]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    return Handler

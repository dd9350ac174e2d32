"""docker-compose.yml as the tests need it: interpolated, merged, and its commands translated to this machine."""

import re
from typing import Any

import yaml

from surveylake.paths import ROOT

COMPOSE = ROOT / "docker-compose.yml"


def read_compose() -> dict[str, Any]:
    """The file as Compose sees it: merge keys resolved, ${NAME:-default} at its default, $$ as $."""
    text = re.sub(r"(?<!\$)\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text("utf-8"))
    found: dict[str, Any] = _plain(yaml.safe_load(text))
    return found


def command_of(service: dict[str, Any], places: dict[str, str]) -> list[str]:
    """What a service runs, with each place of `places` (a name or path in the network) replaced by one of this machine."""
    words = [*service.get("entrypoint", []), *service["command"]]
    return [translated(word, places) for word in words]


def translated(text: str, places: dict[str, str]) -> str:
    """`text` with every key of `places` replaced where it stands as a word, in one pass: no replacement is replaced again."""
    either = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])(?:{either})(?![\w-])", lambda found: places[found[0]], text)


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_plain(value) for value in part]
    return part.replace("$$", "$") if isinstance(part, str) else part

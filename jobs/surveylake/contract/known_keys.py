"""The keys of a contract or a conf file, and the one that an unknown key may have been meant for."""

import difflib
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from surveylake.wording import listed

MOST_KEYS = 16


def instead(key: tuple[str | int, ...], root: type[BaseModel] | None) -> str:
    """Return the words after `unknown key`: `; did you mean max?`, its right table, or the keys here; '' without a root."""
    if root is None:
        return ""
    name = str(key[-1])
    if home := _home_of(name, root):
        return f"; it belongs {home}"
    known = list(model.model_fields) if (model := _model_at(root, key[:-1])) else []
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; the keys here are {listed(known, MOST_KEYS)}"


def _home_of(name: str, root: type[BaseModel]) -> str:
    """Return the table that knows the key: in TOML a key belongs to the last [table] above it, and is easily one too low."""
    if name in root.model_fields:
        return "above the first [table] of the file"
    for section, field in root.model_fields.items():
        model, of_each = _inner(field.annotation)
        if model and name in model.model_fields:
            return f"under [{section}{'.NAME' if of_each else ''}]"
    return ""


def _model_at(root: type[BaseModel], key: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the model of the part at this key; None for no such part."""
    model: type[BaseModel] | None = root
    parts = iter(key)
    for part in parts:
        field = model.model_fields.get(str(part)) if model else None
        model, of_each = _inner(field.annotation) if field else (None, False)
        if of_each:
            next(parts, None)
    return model


def _inner(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return (the model in an annotation or None, whether there is one per name)."""
    for kind, of_each in _kinds_in(annotation, False):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, of_each
    return None, False


def _kinds_in(annotation: Any, of_each: bool) -> Iterator[tuple[Any, bool]]:
    origin, within = get_origin(annotation), get_args(annotation)
    if origin is None:
        yield annotation, of_each
    for part in within[:1] if origin is Annotated else within:
        yield from _kinds_in(part, of_each or origin is dict)

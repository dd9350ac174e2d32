"""Contracts of any shape, drawn from seeds: each is one that a file could hold."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from surveylake.contract.model import Contract

NAMES = [
    "a",
    "b1",
    "who",
    "q_3",
    "a__b_",
    "x_",
    "thing",
    "town2",
    "long_name_of_a_question_that_goes_on_and_on_for_63_letters_x",
]
WORDS = [
    "yes", "no", "null", "1", "2", "99", "007", "1.50", "true", "n/a", "NA", "-", "~", "2024-05-04", "Ürgüp", "中国", "a: b", "#c",
    "[x]", "{y}", "it's", 'say "x"', "back\\slash", "€ 5", "0x1F", "1e3", "=1+1", "😀", "é", "e\u0301", "x\x7fy", "\u200dz", "A", "B",
]  # fmt: skip
SOURCES = [
    "id", "Q1[SQ001]", "What's your age?", "a.b", "x: y", "#3", "Q#2", "yes", "1", "Größe (cm)", " padded ", "😀?", "\x7f", "\x85",
    "\u2028", "a, b", "100 %", "- x", "{}", "null", "How often did you, in the last twelve months, drink tea that somebody made?",
]  # fmt: skip
PATTERNS = ["^[A-Z]{2}[0-9]+$", "^V-[0-9]{1,6}$", "[^ ]", "^(?:yes|no)$", "a|b", "é$"]
KINDS = [
    "string", "integer", "double", "decimal(6,2)", "decimal(38,0)", "decimal(3,3)", "boolean", "date", "timestamp", "scale", "set",
]  # fmt: skip
DAYS = ["yyyy-MM-dd", "d/M/yyyy", "dd.MM.yy", "MMM d, yyyy"]
TIMES = ["M/d/yyyy H:mm:ss", "yyyy-MM-dd'T'HH:mm", "dd/MM/yy hh:mm a"]


def made_contract(seed: int) -> Contract:
    """Return the contract of a seed: the first draw whose parts fit together."""
    for attempt in itertools.count():
        try:
            return Contract.model_validate(_values(random.Random(f"{seed} {attempt}")))
        except ValidationError:
            continue
    raise AssertionError


def contracts() -> st.SearchStrategy[Contract]:
    """Any of them."""
    return st.integers(0, 1 << 32).map(made_contract)


def _values(rng: random.Random) -> dict[str, Any]:
    """Return the values of a file. Most of them fit together."""

    def perhaps(key: str, value: Any) -> dict[str, Any]:
        return {key: value} if rng.random() < 0.4 else {}

    names = rng.sample(NAMES, rng.randint(1, 5))
    sources = rng.sample(SOURCES, len(names))
    fields = {name: _field(rng, source) for name, source in zip(names, sources, strict=True)}
    fields[names[0]] |= {"required": True}
    fields[names[0]].pop("when_wrong", None)
    word = rng.choice(WORDS)
    return {
        "name": rng.choice(NAMES), "title": rng.choice(["", "Tea: 1", " x ", "Ö\nü", *WORDS]),
        "topic": rng.choice(["t", "Workshop-visits", "a.b_c"]), "key": names[0], "fields": fields,
        **perhaps("unknown_fields", rng.choice(["ignore", "reject"])),
        **perhaps("missing", rng.sample(WORDS, rng.randint(0, 2))),
        **perhaps("rules", {name: rng.choice(["a > 1", "x IS NOT NULL\nAND y <> 'é'"]) for name in rng.sample(NAMES, 2)}),
        **perhaps("input", {"delimiter": ";", "encoding": "windows-1252", "header_rows": 2, "comment": "#"}),
        **perhaps("derived", {"computed": {"type": rng.choice(KINDS), "sql": "concat('\\\\', \"x\")", "description": word}}),
        **perhaps("derived", {"several": {"type": "set", "choices": {word: names[-1]}, "order": [word], "label": word}}),
        **perhaps("summaries", {"by": [[names[0]]], "received_by": names[-1]}),
        **perhaps("charts", {"group": names[0]}),
        **perhaps("hypothesis", {"claim": word, "field": names[0], "more": word, "less": "z", "words": {word: "w"}}),
    }  # fmt: skip


def _field(rng: random.Random, source: str) -> dict[str, Any]:
    """Return a field's values."""

    def perhaps(key: str, value: Any) -> dict[str, Any]:
        return {key: value} if rng.random() < 0.4 else {}

    kind = rng.choice(KINDS)
    words = rng.sample(WORDS, 9)
    part: dict[str, Any] = {"source": source, "type": kind, **perhaps("required", rng.random() < 0.7)}
    part |= perhaps("description", rng.choice(WORDS)) | perhaps("missing", words[:1] * rng.randint(0, 1))
    part |= perhaps("was", f"old_{rng.randint(0, 1 << 30)}") | perhaps(
        "change", rng.choice(["freeze", "quarantine"])
    )
    part |= perhaps("label", rng.choice(WORDS)) | perhaps("when_wrong", rng.choice(["blank", "reject"]))
    if kind.startswith("decimal") or kind in ("integer", "double"):
        part |= perhaps("unit", "kg")
        low = rng.choice([rng.randint(-50, 50), rng.uniform(-50, 50), 0.5])
        part |= perhaps("min", low) | perhaps("max", low + rng.randint(0, 100))
    return part | _meanings(kind, words, perhaps, rng)


def _meanings(kind: str, words: Sequence[str], perhaps: Any, rng: random.Random) -> dict[str, Any]:
    """Return what texts mean in a field of this type."""
    if kind == "string":
        return {
            **perhaps("allowed", words[1:4]), **perhaps("spellings", {words[2]: words[5:8]}),
            **perhaps("pattern", rng.choice(PATTERNS)), **perhaps("order", words[1:4]),
        }  # fmt: skip
    if kind == "scale":
        labels = {"labels": dict(zip(words[1:4], words[5:8], strict=True))}
        return rng.choice([{"allowed": words[1:4]}, labels, {**labels, "allowed": [*words[5:8], words[8]]}])
    if kind == "set":
        return {
            **perhaps("allowed", words[1:4]), **perhaps("labels", {words[4]: words[2]}), **perhaps("separator", rng.choice(",|")),
        }  # fmt: skip
    if kind == "boolean":
        return perhaps("true", words[1:3]) | perhaps("false", words[3:5])
    if kind == "date":
        return perhaps("format", rng.choice(DAYS))
    if kind == "timestamp":
        return perhaps("format", rng.choice(TIMES)) | perhaps("zone", "Europe/Vienna")
    return perhaps("allowed", rng.sample(range(-9, 9), 3)) if kind == "integer" else {}

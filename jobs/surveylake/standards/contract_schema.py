"""JSON Schema of the contract file itself, for editors: names, types and meanings of its keys."""

import json
from typing import Any

from surveylake.contract.field_types import COLUMN_NAME, DECIMAL, LONGEST_NAME, SPARK_TYPES
from surveylake.contract.model import Contract
from surveylake.standards.key_meanings import meanings
from surveylake.standards.record_schema import DIALECT

Schema = dict[str, Any]
UNSAID = (
    "The command itself checks more: that names exist, that texts have one meaning, that limits fit the type."
)


def contract_schema() -> str:
    """Return the schema as JSON."""
    schema = Contract.model_json_schema()
    parts: dict[str, Schema] = schema.pop("$defs")
    for name, part in parts.items():
        _describe(part, name)
    _describe(schema, Contract.__name__)
    parts["SurveyField"]["properties"]["allowed"]["items"] = {"type": ["string", "integer"]}
    for part in (parts["SurveyField"], parts["Derived"]):
        part["properties"]["type"] |= {"anyOf": [{"enum": list(SPARK_TYPES)}, {"pattern": DECIMAL.pattern}]}
    for key in ("fields", "derived", "rules"):
        schema["properties"][key]["propertyNames"] = {
            "pattern": f"^{COLUMN_NAME}$",
            "maxLength": LONGEST_NAME,
        }
    whole = {
        "$schema": DIALECT,
        "title": "The contract of a survey",
        "$comment": UNSAID,
        **schema,
        "$defs": parts,
    }
    return json.dumps(_for_editors(whole), ensure_ascii=False, indent=2) + "\n"


def _describe(part: Schema, name: str) -> None:
    """Give each key of a table its meaning; a docstring of the class is about the code, and left out."""
    part.pop("description", None)
    part.pop("title", None)
    for key, schema in part.get("properties", {}).items():
        schema.pop("title", None)
        if meaning := meanings(name).get(key):
            schema["description"] = meaning


def _for_editors(value: Any) -> Any:
    """Return the schema without nulls, which TOML cannot say, and without defaults that are tables or nothing."""
    if isinstance(value, list):
        return [_for_editors(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    some = [part for part in value.get("anyOf", []) if part != {"type": "null"}]
    if len(some) == 1:
        value = {**{key: part for key, part in value.items() if key != "anyOf"}, **some[0]}
    elif some:
        value = {**value, "anyOf": some}
    is_said = not isinstance(value.get("default"), dict | None)
    return {key: _for_editors(part) for key, part in value.items() if key != "default" or is_said}

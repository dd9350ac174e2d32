"""A file of the Open Data Contract Standard as the values of a contract: ours comes back whole, of others what we can say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from surveylake.contract.complaints import explain
from surveylake.contract.field_types import COLUMN_NAME, tidied
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.standards.contract_values import Values
from surveylake.standards.odcs_export import FROM_PHYSICAL, OPTIONS, RULE_ENGINE
from surveylake.wording import quoted

FROM_LOGICAL = {
    "string": "string", "integer": "integer", "number": "decimal(38,9)", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp", "array": "set",
}  # fmt: skip
"""the standard's type -> ours, where the physical type is none that we know"""
DECIMAL = re.compile(r"(?i)(?:decimal|numeric|number)\((\d{1,2}),\s*(\d{1,2})\)")
TAKEN = {
    "name", "id", "physicalName", "logicalType", "physicalType", "primaryKey", "primaryKeyPosition", "unique", "required",
    "businessName", "description", "logicalTypeOptions", "quality", "transformLogic", "items", "customProperties",
}  # fmt: skip
"""what is read of a property"""
SURVEY_KEYS = set(Contract.model_fields) - {"name", "title", "key", "fields", "derived", "rules"}
NOT_ODCS = "Give a data contract of version 3 (apiVersion: v3.1.0), such as jobs/convert.py odcs writes."


@dataclass
class Imported:
    """The values of a contract, and what the file says beyond them."""

    values: Values
    left_out: list[str] = field(default_factory=list)
    """parts of the file that a contract cannot say"""


def read_odcs(path: Path) -> Imported:
    """Read a file. Raises ConfigError for one that is no such contract, or does not say who answered."""
    try:
        document = yaml.safe_load(path.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(f"no file at {path}", "Give the data contract to import.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        where = getattr(error, "problem_mark", None)
        line = f", line {where.line + 1}" if where else ""
        raise ConfigError(f"{path}{line}: this is no YAML that can be read", NOT_ODCS) from error
    if not isinstance(document, dict) or not str(document.get("apiVersion", "")).startswith("v3."):
        raise ConfigError(f"{path} is no data contract of the standard's version 3", NOT_ODCS)
    tables = [table for table in _list(document, "schema") if isinstance(table, dict)]
    if not tables:
        raise ConfigError(f"{path} has no table under schema", NOT_ODCS)
    return _survey(path, document, tables)


def checked(path: Path, imported: Imported) -> Contract:
    """Return the contract. Raises ConfigError naming what the file would have to say otherwise."""
    try:
        return Contract.model_validate(imported.values)
    except ValidationError as error:
        raise ConfigError(
            f"{path} makes no contract: {explain(error, root=Contract)}",
            "Correct these in the file; docs/contracts-elsewhere.md says where each key stands.",
        ) from error


def _survey(path: Path, document: Values, tables: list[Values]) -> Imported:
    own = _custom(document)
    table = tables[0]
    title = document.get("name", document.get("id", "survey"))
    name = _column(str(document.get("id", title)))
    values: Values = {
        "name": name, "title": str(title), "topic": str(own.get("topic", name)), "key": "",
        **{key: value for key, value in own.items() if key in SURVEY_KEYS}, "fields": {},
    }  # fmt: skip
    found = Imported(values)
    found.left_out += [f"table {quoted(str(other.get('name')))}" for other in tables[1:]]
    found.left_out += [f"custom property {quoted(key)}" for key in own if key not in SURVEY_KEYS]
    for column in _list(table, "properties"):
        _take_column(found, column)
    if not values["key"]:
        raise ConfigError(f"{path} does not say who answered", "Write primaryKey: true at that property.")
    _take_rules(found, _list(table, "quality"))
    return found


def _take_column(found: Imported, column: Values) -> None:
    """Add a property as a field, or as a derived column where it has a transformation."""
    given = str(column.get("name"))
    name, own = _column(given), _custom(column)
    part: Values = {"source": tidied(str(column.get("physicalName") or given)), "type": _type(found, column)}
    for theirs, key in {
        "businessName": "label",
        "description": "description",
        "required": "required",
    }.items():
        if column.get(theirs):
            part[key] = column[theirs]
    options = column.get("logicalTypeOptions") or {}
    part |= {key: options[theirs] for key, theirs in OPTIONS.items() if theirs in options}
    left = [f"{name}: {key}" for key in column if key not in TAKEN]
    left += [f"{name}: {key}" for key in options if key not in OPTIONS.values()]
    for check in _list(column, "quality"):
        if check.get("metric") == "invalidValues" and check.get("mustBe") == 0:
            part["allowed"] = (check.get("arguments") or {}).get("validValues", [])
        else:
            left.append(f"{name}: quality {quoted(str(check.get('name') or check.get('metric')))}")
    found.left_out += left
    if column.get("primaryKey") and not found.values["key"]:
        found.values["key"], part["required"] = name, True
    if "transformLogic" in column or "choices" in own:
        del part["source"]
        part |= {"sql": column["transformLogic"]} if "transformLogic" in column else {}
    found.values.setdefault("derived" if "source" not in part else "fields", {})[name] = part | own


def _type(found: Imported, column: Values) -> str:
    """Return the contract's type of a property; a type that the contract has not is a text, and named."""
    physical, logical = str(column.get("physicalType", "")).lower(), str(column.get("logicalType", ""))
    if match := DECIMAL.fullmatch(physical):
        return f"decimal({match[1]},{match[2]})"
    kind = FROM_PHYSICAL.get(physical) or FROM_LOGICAL.get(logical)
    if kind is None:
        found.left_out.append(
            f"{_column(str(column.get('name')))}: type {quoted(logical or physical)}, read as a text"
        )
    return kind or "string"


def _take_rules(found: Imported, checks: Iterable[Values]) -> None:
    rules = {}
    for check in checks:
        if check.get("engine") == RULE_ENGINE and isinstance(check.get("implementation"), str):
            rules[str(check.get("name"))] = check["implementation"]
        else:
            found.left_out.append(f"quality {quoted(str(check.get('name') or check.get('metric')))}")
    if rules:
        found.values["rules"] = rules


def _column(name: str) -> str:
    """Return a name as a column may have it."""
    if re.fullmatch(COLUMN_NAME, name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    return plain if re.match("[a-z]", plain) else f"q_{plain}".rstrip("_")


def _list(part: Values, key: str) -> list[Any]:
    value = part.get(key)
    return value if isinstance(value, list) else []


def _custom(part: Values) -> Values:
    return {
        str(entry["property"]): entry.get("value")
        for entry in _list(part, "customProperties")
        if "property" in entry
    }

"""A contract in the Open Data Contract Standard: what the standard can say in its own words, all else as custom properties."""

import re
from typing import Any

import yaml

from surveylake.contract.field_types import SPARK_TYPES, spark_type
from surveylake.contract.model import Contract
from surveylake.standards.contract_values import Values, values_of

API_VERSION = "v3.1.0"
TABLE = "responses"
"""the table that the contract is about: one row per person, in the contract's columns"""
LOGICAL = {
    "string": "string", "scale": "string", "integer": "integer", "double": "number", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp", "set": "array",
}  # fmt: skip
"""contract type -> the standard's; any other is a number"""
FROM_PHYSICAL = {spark: kind for kind, spark in SPARK_TYPES.items() if kind != "scale"}
"""Spark type -> contract type that is meant where nothing else is said; a decimal is the same in both"""
OPTIONS = {"min": "minimum", "max": "maximum", "pattern": "pattern"}
"""key of a field -> option of the standard's type"""
IN_ITS_WORDS = {
    "label": "businessName", "description": "description", "required": "required", "sql": "transformLogic",
}  # fmt: skip
"""key of a field -> the standard's key"""
RULE_ENGINE = "sparkSql"
VERSION_DIGITS = 12
LINE_ENDS = re.compile("[\x85\u2028\u2029\ufeff]")
"""what YAML takes for the end of a line, unless it is escaped between double quotes"""


class _Dumper(yaml.SafeDumper):
    """Writes every text so that the same text is read."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        """Return a text, between double quotes where its line ends would be read as blanks."""
        style = '"' if LINE_ENDS.search(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_str)


def odcs_of(contract: Contract, lake: str = "") -> str:
    """Return the contract as YAML; with `lake` it names the table there, for `datacontract test`."""
    values = values_of(contract)
    document: Values = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": values.pop("name"),
        "name": values.pop("title"),
        "version": contract.fingerprint[:VERSION_DIGITS],
        "status": "active",
    }
    if lake:
        path = f"{lake.rstrip('/')}/{{model}}"
        document["servers"] = [{"server": "lake", "type": "local", "path": path, "format": "delta"}]
    document["schema"] = [_table(contract, values)]
    return yaml.dump(
        document | _custom(values), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120
    )  # fmt: skip


def _table(contract: Contract, values: Values) -> Values:
    """Return the table's part; takes from `values` what it says."""
    key = values.pop("key")
    fields = [_property(name, part, name == key) for name, part in values.pop("fields").items()]
    derived = [_property(name, part, False) for name, part in values.pop("derived", {}).items()]
    table: Values = {
        "name": TABLE,
        "physicalName": TABLE,
        "physicalType": "table",
        "logicalType": "object",
        "dataGranularityDescription": "one row per person",
        "properties": [*fields, *derived],
    }
    if rules := values.pop("rules", {}):
        table["quality"] = [
            {"name": name, "type": "custom", "engine": RULE_ENGINE, "implementation": sql} for name, sql in rules.items()
        ]  # fmt: skip
    return table


def _property(name: str, part: Values, is_key: bool) -> Values:
    """Return a column's part: a field has a source, a derived column has none."""
    kind = part.pop("type")
    spark = spark_type(kind)
    logical = LOGICAL.get(kind, "number")
    column: Values = {"name": name, "logicalType": logical, "physicalType": spark}
    if is_key:
        column |= {"primaryKey": True, "primaryKeyPosition": 1, "unique": True}
    for own, theirs in IN_ITS_WORDS.items():
        if own in part:
            column[theirs] = part.pop(own)
    if logical == "array":
        column["items"] = {"logicalType": "string", "physicalType": "string"}
    options = {theirs: part.pop(own) for own, theirs in OPTIONS.items() if own in part}
    if options:
        column["logicalTypeOptions"] = options
    if part.get("allowed") and logical != "array":
        valid = {"metric": "invalidValues", "arguments": {"validValues": part.pop("allowed")}, "mustBe": 0}
        column["quality"] = [{"name": f"{name}_is_allowed", "type": "library", **valid}]
    if FROM_PHYSICAL.get(spark, spark) != kind:
        part = {"type": kind, **part}
    return column | _custom(part)


def _custom(values: Values) -> Values:
    """Return the values as custom properties, in their order."""
    properties: list[Any] = [{"property": name, "value": value} for name, value in values.items()]
    return {"customProperties": properties} if properties else {}

"""The tables of keys on docs/contract.md, and the schema for editors, made from the model.

PYTHONPATH=jobs python -m surveylake.standards.key_reference      as `make docs` does: write both
"""

import sys

from pydantic.fields import FieldInfo

from surveylake.paths import CONF, ROOT
from surveylake.standards.contract_schema import contract_schema
from surveylake.standards.key_meanings import PARTS, meanings

PAGE = ROOT / "docs" / "contract.md"
SCHEMA = CONF / "contract.schema.json"
TABLES = {
    "survey": ("Contract",),
    "files": ("Input",),
    "field": ("SurveyField",),
    "derived": ("Derived",),
    "published": ("Summaries", "Charts", "Hypothesis"),
}
"""name of a table on the page -> the parts of the model whose keys it has"""
PREFIX = {"Charts": "charts: ", "Hypothesis": "hypothesis: "}
DEFAULT = "; default: "
"""what stands in a meaning before the default's own words"""
BEGIN, END = "<!-- {}: made by make docs -->", "<!-- end -->"


def page_with_tables(page: str) -> str:
    """Return the page with each table between its marks made anew. Raises ValueError for marks that are not there."""
    for name, parts in TABLES.items():
        begin = BEGIN.format(f"keys of {name}")
        if page.count(begin) != 1:
            raise ValueError(f"the mark {begin} must stand on the page once")
        before, _, rest = page.partition(begin)
        _, end, after = rest.partition(END)
        page = f"{before}{begin}\n{_table(parts)}\n{end}{after}"
    return page


def _table(parts: tuple[str, ...]) -> str:
    lines = ["| key | meaning | default |", "|---|---|---|"]
    for part in parts:
        shared = set(PARTS["SurveyField"].model_fields) if part == "Derived" else set()
        fields = PARTS[part].model_fields
        for key in sorted(fields, key=lambda key: _place(part, key)):
            meaning, _, said = meanings(part)[key].partition(DEFAULT)
            if key in shared:
                meaning, said = "as for a field", said if key != "order" else ""
            default = said or _default(fields[key])
            lines.append(f"| `{key}` | {PREFIX.get(part, '')}{meaning} | {default} |".replace("|  |", "| |"))
    return "\n".join(lines)


def _place(part: str, key: str) -> tuple[bool, bool]:
    """Return the sorting key: what must be there first, what every column has last; the rest as in the model."""
    field = PARTS[part].model_fields[key]
    in_every_column = key in PARTS["Typed"].model_fields and part in ("SurveyField", "Derived")
    return (part != "Contract" and not field.is_required(), in_every_column)


def _default(field: FieldInfo) -> str:
    """Return a default in the words of the page."""
    value = field.default
    if field.is_required():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value:
        return f"`'{value}'`" if '"' in value else f'`"{value}"`'
    return "none"


def main() -> int:
    """Write the page and the schema. Returns 0."""
    PAGE.write_text(page_with_tables(PAGE.read_text("utf-8")), "utf-8")
    SCHEMA.write_text(contract_schema(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

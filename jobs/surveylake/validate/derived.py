"""The SQL of derived columns, over the typed fields."""

from surveylake import sql
from surveylake.contract.fields import Derived
from surveylake.contract.model import Contract


def expression(part: Derived, contract: Contract) -> str:
    """Return SQL: the column's value, cast to its type."""
    value = _chosen(part, contract) if part.choices else part.sql
    return f"CAST({value} AS {part.sql_type})"


def _chosen(part: Derived, contract: Contract) -> str:
    """Return SQL: the answers whose field is true, or has a value where it is no boolean; NULL where there is none."""
    answers = []
    for answer, name in part.choices.items():
        column = sql.name(name)
        chosen = column if contract.fields[name].type == "boolean" else f"{column} IS NOT NULL"
        answers.append(f"IF({chosen}, {sql.text(answer)}, '')")
    chosen = f"array_remove(array({', '.join(answers)}), '')"
    return f"IF(size({chosen}) > 0, {chosen}, NULL)"

"""Spellings of a field that the contract does not list, where it means to list them all."""

from collections.abc import Mapping

from surveylake.aggregate.disclosure import Counts
from surveylake.contract.model import Contract


def unknown_spellings(contract: Contract, column: str, counts: Counts, smallest: int) -> dict[str, int]:
    """Return unknown spelling -> people of a field whose declared spellings are a closed list; else nothing.

    They are one when they include more than half of the values that `smallest` people or more gave: one alias for one value
    does not make a list.
    """
    values = {group[0]: people for group, people in counts.items() if group[0] is not None}
    names = set(contract.fields[column].spellings)
    frequent = {value for value, people in values.items() if people >= smallest}
    if not frequent or 2 * len(frequent & names) <= len(frequent):
        return {}
    known = _known(contract, column)
    return {value: people for value, people in sorted(values.items()) if value not in known}


def mapped_columns(contract: Contract) -> Mapping[str, dict[str, list[str]]]:
    """Return field -> its spellings, of the fields that have some."""
    return {name: field.spellings for name, field in contract.fields.items() if field.spellings}


def _known(contract: Contract, column: str) -> set[str]:
    """Return every value of the column that the contract names."""
    field, claim = contract.fields[column], contract.hypothesis
    named = {*field.spellings, *field.allowed}
    if claim and claim.field == column:
        named |= {claim.more, claim.less, *claim.words}
    return named

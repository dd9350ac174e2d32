"""A CSV's header against the contract: every field must be there, and what is missing may just be spelt otherwise."""

import difflib

from surveylake.contract import Contract
from surveylake.errors import InputError


def require_fields(where: str, names: list[str], contract: Contract) -> None:
    """InputError when a name stands twice or is empty, or when a field of the contract has no column; `where` begins it."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or "" in names:
        what = f"names {', '.join(twice)} twice" if "".join(twice) else "has a column without a name"
        raise InputError(f"{where}: the header {what}", "Give each column one name of its own.")
    missing = [source for source in contract.sources if source not in names]
    if missing:
        asked = ", ".join(_with_hint(source, names) for source in missing)
        raise InputError(f"{where}: the header lacks {asked}", _header_hint(names, contract))


def _with_hint(source: str, names: list[str]) -> str:
    folded = {name.strip().lower(): name for name in names}
    near = difflib.get_close_matches(source.lower(), folded, n=1, cutoff=0.7)
    return f"{source} (it has '{folded[near[0]]}')" if near else source


def _header_hint(names: list[str], contract: Contract) -> str:
    separator = next((mark for mark in ";\t|" if len(names) == 1 and mark in names[0]), None)
    if separator:
        return f"Cells seem to be separated by {separator!r}; save the file with commas."
    return f"The contract '{contract.name}' asks for {', '.join(contract.sources)}; rename the columns, or give another --survey."

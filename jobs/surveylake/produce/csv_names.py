"""The names under which a file's columns are sent: the header's, made so that each is one column's own."""

from collections import Counter
from collections.abc import Collection, Iterable

from surveylake.contract.field_types import tidied
from surveylake.contract.model import Contract
from surveylake.wording import columns, listed, quoted

MOST_TOLD = 5


def column_names(header: Iterable[str], contract: Contract) -> list[str]:
    """Return the name of each column, as the contract means them."""
    return names_of(header, set(contract.file_sources))


def names_of(header: Iterable[str], wanted: Collection[str] = ()) -> list[str]:
    """Return the name of each column.

    `#3` is the third column, where the sources `wanted` have it or the header no name. `Q#2` is the second of the columns that
    are called Q. Letters that no source may hold are replaced.
    """
    tidy = [tidied(name) for name in header]
    number, seen = Counter(tidy), Counter[str]()
    names = []
    for place, name in enumerate(tidy, 1):
        seen[name] += 1
        if not name or f"#{place}" in wanted:
            names.append(f"#{place}")
        else:
            names.append(f"{name}#{seen[name]}" if number[name] > 1 else name)
    return names


def renamed(header: list[str], contract: Contract) -> list[str]:
    """Return a message for the columns that are sent under another name than the file's."""
    sent = column_names(header, contract)
    messages = []
    if nameless := [place for place, name in enumerate(header, 1) if not name]:
        have = "has" if len(nameless) == 1 else "have"
        names = listed(sent[place - 1] for place in nameless)
        messages.append(f"{columns(nameless)} {have} no name: sent as {names}")
    twice = [name for name, number in Counter(filter(None, header)).items() if number > 1]
    for name in twice[:MOST_TOLD]:
        places = [place for place, other in enumerate(header, 1) if other == name]
        both, names = "both" if len(places) == 2 else "all", listed(sent[place - 1] for place in places)
        messages.append(f"{columns(places)} are {both} called {quoted(name)}: sent as {names}")
    if len(twice) > MOST_TOLD:
        messages.append(
            f"{len(twice) - MOST_TOLD:,} more names stand twice: each is sent with #1, #2 behind it"
        )
    if other := [name for name in header if name and tidied(name) != name and name not in twice]:
        messages.append(
            f"names with quotes, backslashes or line breaks are sent without: {listed(map(tidied, other))}"
        )
    return messages

"""Which contract judged the records, from which version on: facts of a proof."""

from surveylake.contract.differences import content_of, judging_of
from surveylake.contract.model import Contract
from surveylake.lake import judging
from surveylake.lake.judging import Judged
from surveylake.lake.tables import RECORDS
from surveylake.verify.checks import SAID, Check

WHAT = "contract"


def judged(properties: dict[str, str], newest: int, contract: Contract) -> list[Check]:
    """Return a fact for each epoch of judging, and one where the contract given is another than that of the last.

    `newest` is the newest version of `records`.
    """
    entries = judging.history(properties)
    given = judging.named(contract.name, contract.fingerprint)
    if not entries:
        detail = f"not kept by the release that wrote it; this one is {given}"
        return [Check(WHAT, RECORDS, SAID, detail)]
    ends = [entry.version - 1 for entry in entries[1:]] + [newest]
    facts = [_fact(entry, end) for entry, end in zip(entries, ends, strict=True)]
    if first := entries[0].version:
        facts.insert(0, Check(WHAT, _versions(0, first - 1), SAID, "not kept by the release that wrote them"))
    if entries[-1].judging != judging_of(content_of(contract)):
        detail = f"the records are judged under {entries[-1].named}; the contract given is {given}"
        facts.append(Check(WHAT, RECORDS, SAID, detail))
    return facts


def _fact(entry: Judged, end: int) -> Check:
    whose = "all records" if entry.by == judging.REPLAY else "what came"
    detail = f"{whose} judged under {entry.named} by {entry.by}, {entry.at}"
    return Check(WHAT, _versions(entry.version, end), SAID, detail)


def _versions(first: int, last: int) -> str:
    return f"version {first}" if first == last else f"versions {first} to {last}"

"""Statements about the survey as a whole: what came in, what was rejected and why, and whether the key says who answered."""

from surveylake.aggregate.findings import Findings, ReceivedLine
from surveylake.contract.model import Contract
from surveylake.export.formatting import count, in_sentence, percent_in_words, words
from surveylake.export.reason_text import in_words, remedy
from surveylake.export.statements.model import Statement
from surveylake.wording import counted

REPLACED_SHARE = 0.05
"""Above it people may have been taken for one another: few answer a survey twice."""


def of_survey(findings: Findings, rejected_share: float) -> list[Statement]:
    """Return them all; a reason that at least `rejected_share` of the records were rejected for is a warning."""
    return [
        people(findings),
        *replaced(findings),
        *mostly_rejected(
            findings.rejected_by_rule, findings.received, findings.rejected, rejected_share, findings.contract
        ),
        *_rejected(findings),
        *_received(findings),
        *_spellings(findings),
    ]


def people(findings: Findings) -> Statement:
    """Return how many people are counted, from how many records."""
    said = (
        f"{counted(findings.responses, 'person', 'people')}, from {counted(findings.received, 'record')} received: "
        f"{count(findings.accepted)} accepted, {count(findings.rejected)} rejected."
    )
    more = {"accepted": findings.accepted, "rejected": findings.rejected}
    return Statement("people", said, value=findings.responses, base=findings.received, more=dict(more))


def nobody(findings: Findings) -> str:
    """Say why nobody is counted."""
    if findings.received and not findings.accepted:
        return f"none of the {counted(findings.received, 'record')} received was accepted"
    return "nobody answered" if findings.responses else "nobody answered yet"


def replaced(findings: Findings) -> list[Statement]:
    """Return how many answers a later one replaced; with a warning where so many were that the key may be at fault."""
    n, key = findings.replaced, findings.contract.key
    if not n:
        return []
    share = n / findings.accepted
    verb = "was" if n == 1 else "were"
    said = f"{counted(n, 'answer')} {verb} replaced by a later one of the same {key}"
    told = Statement("replaced", f"{said}.", (key,), (), n, findings.accepted, share)
    if share <= REPLACED_SHARE:
        return [told]
    doubt = (
        f"{said}. That is {percent_in_words(share)} of the answers accepted: {key} may not say who answered."
    )
    return [told, Statement("warning", doubt, (key,), ("replaced",), n, findings.accepted, share)]


def mostly_rejected(
    by_rule: dict[str, int], received: int, rejected: int, share: float, contract: Contract
) -> list[Statement]:
    """Return a warning for each reason that at least `share` of the records received were rejected for.

    Where so many were rejected, but for different reasons, there is one for the most frequent.
    """
    if not received or rejected < share * received:
        return []
    ordered = sorted(by_rule.items(), key=lambda item: (-item[1], item[0]))
    frequent = [(reason, n) for reason, n in ordered if n >= share * received] or ordered[:1]
    overall = (
        f"{count(rejected)} of {counted(received, 'record')} {'was' if rejected == 1 else 'were'} rejected"
    )
    return [
        Statement(
            "warning",
            f"{overall}, {'all' if n == rejected else count(n)} because {in_words(reason, contract)}."
            f" {remedy(reason, contract)}",
            groups=(reason,), value=n, base=received, share=n / received, more={"rejected": rejected},
        )
        for reason, n in frequent
    ]  # fmt: skip


def _rejected(findings: Findings) -> list[Statement]:
    ordered = sorted(findings.rejected_by_rule.items(), key=lambda item: (-item[1], item[0]))
    return [
        Statement(
            "rejected",
            in_words(reason, findings.contract),
            (),
            (reason,),
            n,
            findings.received,
            n / findings.received,
        )
        for reason, n in ordered
    ]


def _received(findings: Findings) -> list[Statement]:
    group = findings.contract.summaries.received_by
    return [_as_received(group, line) for line in findings.received_by] if group else []


def _as_received(column: str, line: ReceivedLine) -> Statement:
    named = line.group if line.group is not None else f"without {words(column)}"
    numbers = {"received": line.received, "accepted": line.accepted, "counted": line.responses}
    steps = (("received", "as received"), ("accepted", "accepted"), ("counted", "counted"))
    said = ", ".join(
        f"{'few' if numbers[name] is None else count(numbers[name] or 0)} {step}" for name, step in steps
    )
    rule = "groups of too few people are not named" if line.kind == "pooled" else None
    return Statement(
        "as received", f"{in_sentence(named)}: {said}", (column,), () if line.group is None else (line.group,), line.received,
        rule=rule, more={name: n for name, n in numbers.items() if name != "received"},
    )  # fmt: skip


def _spellings(findings: Findings) -> list[Statement]:
    """Return the unknown spellings: by name those of enough people, the others by their number."""
    statements = []
    for column, spelled in findings.unknown_spellings.items():
        named = {text: n for text, n in spelled.items() if n >= findings.smallest_group}
        statements += [
            Statement("spelling", in_sentence(text, 60), (column,), (text,), n) for text, n in named.items()
        ]
        if few := len(spelled) - len(named):
            said = f"{counted(few, 'spelling')} of fewer than {findings.smallest_group} people each"
            rule = f"groups of fewer than {findings.smallest_group} people are not named"
            statements.append(Statement("few spellings", said, (column,), (), few, rule=rule))
    return statements

"""Statements about the survey as a whole: records received, rejected and why, and whether the key identifies people."""

from surveylake.aggregate.findings import Findings, ReceivedLine
from surveylake.contract.model import Contract
from surveylake.export.formatting import count, in_sentence, percent_in_words, words
from surveylake.export.reason_text import in_words, remedy
from surveylake.export.statements.model import Statement
from surveylake.wording import counted

REPLACED_SHARE = 0.05
"""Above it the key may not identify people: few answer a survey twice."""


def survey_statements(findings: Findings, rejected_share: float) -> list[Statement]:
    """Return them all; a reason for which at least `rejected_share` of the records were rejected is a warning."""
    return [
        people(findings),
        *replaced(findings),
        *mostly_rejected(
            findings.rejected_by_rule, findings.received, findings.rejected, rejected_share, findings.contract
        ),
        *_rejected(findings),
        *_blanked(findings),
        *_received(findings),
        *_spellings(findings),
    ]


def people(findings: Findings) -> Statement:
    """Return the statement of how many people are counted, from how many records."""
    text = (
        f"{counted(findings.responses, 'person', 'people')}, from {counted(findings.received, 'record')} received: "
        f"{count(findings.accepted)} accepted, {count(findings.rejected)} rejected."
    )
    more = {"accepted": findings.accepted, "rejected": findings.rejected}
    return Statement("people", text, value=findings.responses, base=findings.received, more=dict(more))


def nobody(findings: Findings) -> str:
    """Return words for why nobody is counted."""
    if findings.received and not findings.accepted:
        return f"none of the {counted(findings.received, 'record')} received was accepted"
    return "nobody answered" if findings.responses else "nobody answered yet"


def replaced(findings: Findings) -> list[Statement]:
    """Return the statement of replaced answers; with a warning above REPLACED_SHARE, where the key may be at fault."""
    n, key = findings.replaced, findings.contract.key
    if not n:
        return []
    share = n / findings.accepted
    verb = "was" if n == 1 else "were"
    text = f"{counted(n, 'answer')} {verb} replaced by a later one of the same {key}"
    statement = Statement("replaced", f"{text}.", (key,), (), n, findings.accepted, share)
    if share <= REPLACED_SHARE:
        return [statement]
    doubt = (
        f"{text}. That is {percent_in_words(share)} of the answers accepted: {key} may not say who answered."
    )
    return [statement, Statement("warning", doubt, (key,), ("replaced",), n, findings.accepted, share)]


def mostly_rejected(
    by_rule: dict[str, int], received: int, rejected: int, share: float, contract: Contract
) -> list[Statement]:
    """Return a warning for each reason for which at least `share` of the records received were rejected.

    Where so many were rejected, but for different reasons, returns one for the most frequent.
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


def _blanked(findings: Findings) -> list[Statement]:
    return [
        Statement(
            "blanked",
            in_words(reason, findings.contract),
            (),
            (reason,),
            n,
            findings.responses,
            n / findings.responses,
        )
        for reason, n in findings.blanked_by_reason.items()
    ]


def _received(findings: Findings) -> list[Statement]:
    group = findings.contract.summaries.received_by
    return [_as_received(group, line) for line in findings.received_by] if group else []


def _as_received(column: str, line: ReceivedLine) -> Statement:
    named = line.group if line.group is not None else f"without {words(column)}"
    numbers = {"received": line.received, "accepted": line.accepted, "counted": line.responses}
    steps = (("received", "as received"), ("accepted", "accepted"), ("counted", "counted"))
    text = ", ".join(
        f"{'few' if numbers[name] is None else count(numbers[name] or 0)} {step}" for name, step in steps
    )
    rule = "groups of too few people are not named" if line.kind == "pooled" else None
    return Statement(
        "as received", f"{in_sentence(named)}: {text}", (column,), () if line.group is None else (line.group,), line.received,
        rule=rule, more={name: n for name, n in numbers.items() if name != "received"},
    )  # fmt: skip


def _spellings(findings: Findings) -> list[Statement]:
    """Return the unknown spellings: by name those of enough people, the others by their number."""
    statements = []
    for column, spellings in findings.unknown_spellings.items():
        named = {spelling: n for spelling, n in spellings.items() if n >= findings.smallest_group}
        statements += [
            Statement("spelling", in_sentence(spelling, 60), (column,), (spelling,), n)
            for spelling, n in named.items()
        ]
        if few := len(spellings) - len(named):
            text = f"{counted(few, 'spelling')} of fewer than {findings.smallest_group} people each"
            rule = f"groups of fewer than {findings.smallest_group} people are not named"
            statements.append(Statement("few spellings", text, (column,), (), few, rule=rule))
    return statements

"""Recompute the statements about the survey as a whole: people, records, reasons, records received, spellings."""

from collections import Counter
from collections.abc import Iterator

from support.checker_facts import Facts, as_text
from support.checker_statements import ReportStatements, differences, only, pool

DOUBT = 0.05
"""of the answers: more replaced ones are a warning"""
MOSTLY = 0.5
"""of the records, rejected for one reason, or for several together: a warning"""


def faults(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Yield every difference."""
    yield from _people(report, facts)
    yield from _replaced(report, facts)
    yield from _rejected(report, facts)
    yield from _nobody(report, facts)
    yield from _received(report, facts)
    yield from _spellings(report, facts)


def _people(report: ReportStatements, facts: Facts) -> Iterator[str]:
    statement, wrong = only(report.all("people"), "people")
    yield from wrong
    records, accepted, people = len(facts.records), facts.accepted, len(facts.people)
    yield from differences(
        statement, "people", value=people, base=records, accepted=accepted, rejected=records - accepted
    )
    for number in (people, records, accepted, records - accepted):
        if statement and f"{number:,}" not in statement["text"]:
            yield f"people: the words do not say {number}"


def _replaced(report: ReportStatements, facts: Facts) -> Iterator[str]:
    n = facts.accepted - len(facts.people)
    stated, warned = report.all("replaced"), [s for s in report.all("warning") if s["groups"] == ["replaced"]]
    if bool(stated) != bool(n) or bool(warned) != (n > DOUBT * facts.accepted):
        yield f"replaced: {n} of {facts.accepted} answers were, and it is said {len(stated)} times, warned of {len(warned)}"
    for statement in (*stated, *warned):
        yield from differences(
            statement, "replaced", value=n, base=facts.accepted, share=n / max(facts.accepted, 1)
        )
        if f"{n:,} answer" not in statement["text"] or facts.survey.key not in statement["text"]:
            yield "replaced: the words do not say how many, or of which key"


def _rejected(report: ReportStatements, facts: Facts) -> Iterator[str]:
    reasons, records = facts.reasons(), len(facts.records)
    stated = report.by_groups("rejected")
    if set(stated) != {(reason,) for reason in reasons}:
        yield f"rejected: reasons are {sorted(reasons)}, said {sorted(stated)}"
    warned = {tuple(s["groups"]): s for s in report.all("warning") if s["groups"] != ["replaced"]}
    mostly = {reason for reason, n in reasons.items() if n >= MOSTLY * records}
    if records and records - facts.accepted >= MOSTLY * records and not mostly:
        mostly = {min(reasons, key=lambda reason: (-reasons[reason], reason))}
    for reason, n in reasons.items():
        yield from differences(
            stated.get((reason,)), f"rejected {reason}", value=n, base=records, share=n / records
        )
        warning = warned.pop((reason,), None)
        if reason in mostly:
            yield from differences(warning, f"warning of {reason}", value=n, base=records)
            name = next(
                name for name, c in facts.survey.columns.items() if c.source == reason.partition(":")[2]
            )
            for needed in (f"{n:,}", f"fields.{name}", "replay.py"):
                if warning and needed not in warning["text"]:
                    yield f"warning of {reason}: does not say {needed}"
        elif warning:
            yield f"warning of {reason}: only {n} of {records}, and it is not the most frequent one"
    if warned:
        yield f"warnings of no reason: {sorted(warned)}"


def _nobody(report: ReportStatements, facts: Facts) -> Iterator[str]:
    """Records that came and were all rejected are not 'nobody'."""
    if len(facts.records) and not facts.accepted:
        for statement in report.statements:
            if (
                "nobody"
                in " ".join(map(str, (statement["text"], *statement.get("more", {}).values()))).lower()
            ):
                yield f"{statement['what']}: says that nobody answered, and {len(facts.records)} records came"
        if not report.all("warning"):
            yield "warning: no record was accepted, and nothing warns of it"


def _received(report: ReportStatements, facts: Facts) -> Iterator[str]:
    by, smallest = facts.survey.received_by, facts.survey.smallest
    if by is None:
        return
    received: Counter[str | None] = Counter()
    accepted: Counter[str | None] = Counter()
    for value, reasons in zip(facts.records[by], facts.records["~reasons"], strict=True):
        received[None if value is None else as_text(value)] += 1
        accepted[None if value is None else as_text(value)] += not reasons
    counted: dict[str | None, int] = {value: n for (value,), n in facts.groups(by).items()}
    counted[None] = facts.blank(by)
    stated = report.by_groups("as received", by)
    lines = {groups[0] if groups else None: statement for groups, statement in stated.items()}
    rest = lines.pop(pool(facts.survey), None)
    for value, line in lines.items():
        yield from differences(
            line,
            f"as received {value}",
            value=received[value],
            accepted=accepted[value],
            counted=counted.get(value, 0),
        )
    for value, n in counted.items():
        if value not in lines and (n if value is None else n >= smallest):
            yield f"as received {value}: not said, though {n} people are counted"
    left = [
        sum(n for value, n in c.items() if value not in lines) for c in (received, accepted, Counter(counted))
    ]
    if bool(rest) != any(left):
        yield f"as received: {left[0]} records are in no line, and the rest is {'' if rest else 'not '}said"
    if rest:
        right = [n if n >= smallest else None for n in left]
        yield from differences(
            rest, "as received, the rest", value=right[0], accepted=right[1], counted=right[2]
        )


def _spellings(report: ReportStatements, facts: Facts) -> Iterator[str]:
    survey = facts.survey
    for name, column in survey.columns.items():
        claim = survey.claim
        known = {
            *column.spellings,
            *column.allowed,
            *((claim.more, claim.less) if claim and claim.field == name else ()),
        }
        unknown = {value: n for (value,), n in facts.groups(name).items() if value not in known}
        right = {v: n for v, n in unknown.items() if n >= survey.smallest} if column.is_closed else {}
        stated = {s["groups"][0]: s["value"] for s in report.all("spelling", name)}
        if stated != right:
            yield f"spellings of {name}: said {stated}, unknown are {right}"
        few = len(unknown) - len(right) if column.is_closed else 0
        if [s["value"] for s in report.all("few spellings", name)] != [few] * bool(few):
            yield f"few spellings of {name}: {few} are"

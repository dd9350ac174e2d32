"""What a check found, in words: each reason with its number, samples, and what to do."""

from collections.abc import Iterator

from surveylake.check.file_check import TOO_LARGE, UNKNOWN_FIELD, FileCheck, Finding
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.wording import counted, listed, quoted

WHOLE = {
    TOO_LARGE: ("the record is longer than the configuration allows", "Raise max_message_bytes under [stream] in the conf file."),
    UNKNOWN_FIELD: ("the file has columns that the contract lacks", 'Name them as fields, or write unknown_fields = "ignore".'),
}  # fmt: skip
"""reason against a record as a whole -> words, and what to do"""
WORDS = {
    "blank": "is blank, and required",
    "not_a_number": "is no number",
    "not_a_date": "is no date as the contract writes them",
    "not_a_timestamp": "is no time as the contract writes them",
    "not_a_boolean": "is neither true nor false",
    "too_precise": "has more digits after the point than its type keeps",
    "out_of_range": "is out of range",
    "not_allowed": "is not one of the allowed answers",
    "pattern": "does not have the form asked for",
}
"""reason against a field -> words"""
NEXT = {
    "blank": "required = false, if it may be blank",
    "not_a_number": "missing = [\"…\"], if such a text means no answer; type = \"string\"",
    "not_a_date": "format",
    "not_a_timestamp": "format",
    "not_a_boolean": "the words in true and false; or missing = [\"…\"]",
    "too_precise": "type, with more digits after the point; or \"double\"",
    "out_of_range": "min and max, or type",
    "not_allowed": "allowed, if it is one; spellings, if it is another way of writing one",
    "pattern": "pattern",
}  # fmt: skip
"""reason against a field -> the keys of the contract that may be wrong"""
ALLOWED_SHOWN = 8
LEAST_PERCENT = 0.1
COST_LESS = ' With when_wrong = "blank" it costs the answer, and not the record.'


def told(check: FileCheck, contract: Contract) -> Iterator[str]:
    """Yield the lines of the report: bad lines, reasons that cost a record, reasons that cost an answer."""
    if check.answers.bad:
        yield f"{counted(len(check.answers.bad), 'line')} cannot be sent (SKIP_BAD=1 leaves them out):"
        yield check.answers.describe_bad()
    for is_blanked, costs in ((False, "rejected"), (True, "left blank")):
        for finding in check.ordered(is_blanked):
            yield from _told(finding, costs, check, contract)


def summary(check: FileCheck, contract: Contract) -> str:
    """Return the last line: how many records and people are left, and what was not judged."""
    rows = check.answers.rows
    text = f"{check.accepted:,} of {counted(rows, 'row')} would be accepted, from {counted(check.people, 'person', 'people')}"
    if blanked := sum(finding.number for finding in check.ordered(is_blanked=True)):
        text += f"; {counted(blanked, 'answer')} would be left blank"
    if contract.rules:
        text += f"; {counted(len(contract.rules), 'rule')} of [rules] not judged: Spark does that"
    return text


def _told(finding: Finding, costs: str, check: FileCheck, contract: Contract) -> Iterator[str]:
    kind, _, source = finding.reason.partition(":")
    percent = 100 * finding.number / check.answers.rows
    share = f"{percent:.1f} %" if percent >= LEAST_PERCENT else f"fewer than {LEAST_PERCENT} %"
    name, part = next(((n, f) for n, f in contract.fields.items() if f.source == source), ("", None))
    words, advice = (
        WHOLE[kind]
        if part is None
        else (_words(kind, part), f"Correct fields.{name} in the contract: {NEXT[kind]}.")
    )
    yield f"{costs}: {finding.number:,} ({share})  {finding.reason}: {words}"
    for line, text in finding.samples:
        yield f"    {check.answers.path}:{line}  {quoted(text, 60) if part else ''}".rstrip()
    yield f"  next: {advice}{COST_LESS if part and not part.required and not finding.is_blanked else ''}"


def _words(kind: str, part: SurveyField) -> str:
    """Return what is wrong with a field, with the limit that it breaks."""
    words = WORDS[kind]
    if kind == "not_allowed":
        return f"{words}: {listed(part.allowed, ALLOWED_SHOWN)}"
    if kind == "out_of_range" and (part.min is not None or part.max is not None):
        low = "" if part.min is None else f" from {part.min}"
        return f"{words}:{low}{'' if part.max is None else f' to {part.max}'}"
    if kind in ("not_a_date", "not_a_timestamp") and part.format:
        return f"{words}: {part.format}"
    return f"{words}: {part.type}" if kind == "too_precise" else words

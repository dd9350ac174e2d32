"""A drafted survey as the text of a contract: TOML, with one comment for each guess."""

from collections.abc import Iterator
from pathlib import Path

from surveylake.contract.input_format import Input
from surveylake.contract.model import ROW
from surveylake.contract.toml_text import key, value
from surveylake.draft.guess import Line
from surveylake.draft.names import Names
from surveylake.draft.survey_draft import Drafted, SurveyDraft
from surveylake.draft.toml_text import comment, line
from surveylake.wording import counted

INPUT_KEYS = ("delimiter", "quote", "encoding", "decimal", "header_rows", "header_row", "blank_rows")
MOST_SPELLINGS = 12
MOST_BAD = 3


def contract_text(draft: SurveyDraft) -> str:
    """Return the contract. The same file always gives the same text."""
    parts = [_opening(draft), _survey(draft), _input(draft)]
    parts += ["\n".join(_field(field)) for field in draft.fields]
    parts += ["\n".join(_questions(draft)), "\n".join(_publication(draft))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _opening(draft: SurveyDraft) -> str:
    facts, fields = draft.facts, counted(len(draft.form.header.names), "column")
    lines = [
        f"Drafted from {draft.file}: {counted(facts.rows, 'row')} with answers, {fields}.",
        "Each line is a guess, with its evidence: correct what is wrong. jobs/check.py says what would be rejected.",
    ]
    if facts.bad.number:
        first = "; ".join(f"line {at} {problem}" for at, problem in list(facts.bad.first.items())[:MOST_BAD])
        lines.append(
            f"{counted(facts.bad.number, 'line')} cannot be sent{f' ({first})' if first else ''}: "
            "correct them, or run with SKIP_BAD=1."
        )
    if draft.left_out:
        lines.append(f"Left out: {counted(draft.left_out, 'column')} without a name and without an answer.")
    return "\n".join(map(comment, lines))


def _survey(draft: SurveyDraft) -> str:
    stem = Path(draft.file.removesuffix(".gz")).stem
    name = Names().take([stem, "survey"], 0)
    lines = [line("name", name), line("title", _title(stem)), line("topic", name.replace("_", "-"))]
    first, *others = draft.key_why
    lines += [line("key", draft.key, first), *map(comment, others)]
    if draft.key == ROW:
        lines.append(
            comment(
                "each row is a person: a file that is sent again in a changed form brings all its people again"
            )
        )
    return "\n".join(lines)


def _title(stem: str) -> str:
    text = " ".join(stem.replace("_", " ").split()) or "Survey"
    return text[0].upper() + text[1:]


def _input(draft: SurveyDraft) -> str:
    """Return [input] with what is not the default; '' where nothing is."""
    form, default = draft.form.input, Input()
    lines = [
        line(name, _usual(getattr(form, name)), draft.form.why.get(name, ""))
        for name in INPUT_KEYS
        if getattr(form, name) != getattr(default, name)
    ]
    return "\n".join(["[input]", *lines]) if lines else ""


def _usual(name: str) -> str:
    """Return an encoding's usual name."""
    return name.replace("cp125", "windows-125") if isinstance(name, str) else name


def _field(field: Drafted) -> Iterator[str]:
    guess = field.guess
    yield f"[fields.{field.name}]"
    yield line("source", field.source)
    if field.label:
        yield line("label", field.label)
    yield line("type", guess.type, guess.why)
    for part in guess.lines:
        yield _line(part)
    yield from _spellings(field)


def _line(part: Line) -> str:
    return line(part.key, part.value, part.why) if part.key else comment(part.why)


def _spellings(field: Drafted) -> Iterator[str]:
    """Yield the likely spellings as comments: a person decides whether they are one answer."""
    if not field.spellings:
        return
    texts = field.column.texts
    yield comment("Likely one answer in several spellings. To merge them, remove the # before these lines:")
    yield f"#[fields.{field.name}.spellings]"
    for name, others in list(field.spellings.items())[:MOST_SPELLINGS]:
        numbers = ", ".join(f"{texts[other]:,}" for other in others)
        yield f"#{key(name)} = [{', '.join(map(value, others))}]   {comment(f'{texts[name]:,} and {numbers}')}"


def _questions(draft: SurveyDraft) -> Iterator[str]:
    """Yield the questions that are spread over columns, each as one set."""
    for number, part in enumerate(draft.spread):
        yield from [""] if number else []
        yield f"[derived.{part.name}]"
        yield line("label", part.label)
        yield line("type", "set", f"one question over {len(part.choices)} columns, one for each choice")
        yield f"[derived.{part.name}.choices]"
        for choice, field in part.choices.items():
            yield line(choice, field)


def _publication(draft: SurveyDraft) -> Iterator[str]:
    """Yield summaries, charts, and a claim to fill in."""
    if not (found := draft.published):
        yield comment(
            "No column has a few answers that many people gave: nothing is counted. See [summaries] in docs/contract.md."
        )
        return
    yield "[summaries]"
    yield line("by", [list(names) for names in found.tables])
    if found.measure:
        yield line("measure", found.measure)
    yield line("received_by", found.group)
    yield "\n[charts]"
    for name in ("group", "bands", "stack"):
        if getattr(found, name):
            yield line(name, getattr(found, name))
    more, less = found.values[:2]
    yield "\n" + comment(
        "A claim to test: write it before you look at the answers, and remove the # before these lines."
    )
    yield "#[hypothesis]"
    yield f"#{line('claim', f'more people answer {more} than {less}')}"
    for name, text in (("field", found.group), ("more", more), ("less", less)):
        yield f"#{line(name, text)}"
    yield f"#{line('outcomes', [found.stack] if found.stack else [])}"

"""From a file of answers to a drafted survey: each column's guess, the key, questions over several columns, what is published."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from surveylake.contract.field_types import without_blank_runs
from surveylake.draft.column_facts import Column, Facts, facts_of
from surveylake.draft.column_guess import answers_of, column_guess, decimal_mark
from surveylake.draft.file_form import FileForm, form_of
from surveylake.draft.guess import Guess, Line
from surveylake.draft.header_rows import Header
from surveylake.draft.names import Names, is_short, label_of, snake
from surveylake.draft.person_key import candidates, key_of
from surveylake.draft.questions import Question, choice_guess, questions
from surveylake.draft.scales import as_scales
from surveylake.draft.spellings import likely_spellings
from surveylake.draft.what_to_publish import Countable, Published, what_to_publish
from surveylake.errors import InputError
from surveylake.produce.csv_names import names_of
from surveylake.wording import counted

LONGEST_STEM, LONGEST_CHOICE = 22, 17
"""Letters of a question and of a choice in a column's name."""


@dataclass(frozen=True)
class Drafted:
    """One column of the file as a field."""

    name: str
    source: str
    label: str
    guess: Guess
    column: Column
    spellings: dict[str, list[str]]


@dataclass(frozen=True)
class Spread:
    """A question over several columns as a derived one."""

    name: str
    label: str
    choices: dict[str, str]
    """answer -> the field that says whether it was chosen"""


@dataclass(frozen=True)
class SurveyDraft:
    """A drafted survey."""

    file: str
    form: FileForm
    facts: Facts
    fields: tuple[Drafted, ...]
    left_out: int
    """number of columns without a name and without an answer"""
    key: str
    key_why: tuple[str, ...]
    """why it is the key; then what each other candidate would cost"""
    spread: tuple[Spread, ...]
    published: Published | None


def draft_survey(path: Path) -> SurveyDraft:
    """Draft a survey from a file. Raises InputError for a file that is no CSV, or has no answers."""
    form = form_of(path)
    facts = facts_of(path, form.as_read, len(form.header.names))
    if not facts.rows:
        line, problem = next(iter(facts.bad.first.items()), (0, ""))
        fault = (
            f"has no line that fits its header: line {line} {problem}"
            if line
            else "has a header and no answers"
        )
        raise InputError(f"{path} {fault}", "Give a file with at least one row under the header.")
    form = _completed(form, facts)
    fields, spread = _fields(form, facts)
    key, why = key_of(candidates([(f.name, f.source, f.guess.type, f.column) for f in fields]))
    fields = [_as_key(field) if field.name == key else field for field in fields]
    counted = [
        Countable(
            f.name, f.guess.role, answers_of(f.guess, f.column), f.column.filled / facts.rows, f.guess.type
        )
        for f in fields
        if f.guess.role and f.name != key and not f.column.unseen
    ]
    left_out = len(facts.columns) - len(fields)
    published = what_to_publish(counted)
    return SurveyDraft(
        path.name, form, facts, tuple(fields), left_out, key, tuple(why), tuple(spread), published
    )


def _completed(form: FileForm, facts: Facts) -> FileForm:
    """Return the form with what only the cells tell: the decimal mark, and blank rows."""
    keys, why = {}, dict(form.why)
    keys["decimal"], why["decimal"] = decimal_mark(facts.columns)
    if blank := _blank_rows(form.header.blank, facts.blank_rows):
        keys["blank_rows"], why["blank_rows"] = "skip", blank
    return replace(form, input=form.input.model_copy(update=keys), why=why)


def _blank_rows(above: int, below: int) -> str:
    """Return how many rows are blank above the answers, and among them; '' for none."""
    if not above:
        return f"{counted(below, 'blank row')} among the answers" if below else ""
    return f"{counted(above, 'blank row')} above the answers" + (f", {below:,} among them" if below else "")


def _fields(form: FileForm, facts: Facts) -> tuple[list[Drafted], list[Spread]]:
    """Return the columns as fields, without nameless ones that nobody answered, and the questions that several of them are."""
    header, columns = form.header, facts.columns
    headers = [
        without_blank_runs(label or name) for name, label in zip(header.names, header.labels, strict=True)
    ]
    asked = questions(headers, columns)
    guesses = [column_guess(column, form.input) for column in columns]
    for question in asked:
        for place, choice in zip(question.places, question.choices, strict=True):
            guesses[place] = choice_guess(columns[place], choice)
    guesses = as_scales(guesses, columns)
    taken = Names()
    sets = [taken.take([question.label], question.places[0] + 1) for question in asked]
    names, sources = _names(header, columns, asked, taken), _sources(header.names)
    fields = [
        Drafted(
            name, sources[at], label_of(name, header.names[at].strip(), header.labels[at]), guesses[at], columns[at],
            _spellings(guesses[at], columns[at]),
        )
        for at, name in names.items()
    ]  # fmt: skip
    spread = [
        Spread(name, question.label, {choice: names[at] for choice, at in zip(question.choices, question.places, strict=True)})
        for name, question in zip(sets, asked, strict=True)
    ]  # fmt: skip
    return fields, spread


def _names(header: Header, columns: list[Column], asked: list[Question], taken: Names) -> dict[int, str]:
    """Return place -> name of each column that is kept; a choice is called by its question and itself."""
    chosen = {
        at: f"{snake(question.label, LONGEST_STEM)} {snake(choice, LONGEST_CHOICE)}"
        for question in asked
        for at, choice in zip(question.places, question.choices, strict=True)
    }
    names = {}
    for at, (name, label) in enumerate(zip(map(str.strip, header.names), header.labels, strict=True)):
        if name or columns[at].filled:
            is_own = name and is_short(name) and header.names.count(header.names[at]) == 1
            texts = [name] if is_own or at not in chosen else [chosen[at]]
            names[at] = taken.take([*texts, name, label], at + 1)
    return names


def _sources(names: tuple[str, ...]) -> list[str]:
    """Return the source of each column: its name as the producer sends it, or its place where that is another column's too."""
    sent = names_of(names)
    number = Counter(sent)
    return [
        f"#{at}" if number[name] > 1 or (name[:1] == "#" and name[1:].isdigit()) else name
        for at, name in enumerate(sent, 1)
    ]


def _spellings(guess: Guess, column: Column) -> dict[str, list[str]]:
    return likely_spellings(answers_of(guess, column)) if guess.type == "string" and not column.unseen else {}


def _as_key(field: Drafted) -> Drafted:
    """Return the field that says who answered: a text that must be there."""
    why = f"{field.column.filled:,} different texts in as many rows"
    return replace(field, guess=Guess("string", why, (Line("required", True),)), spellings={})

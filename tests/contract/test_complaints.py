"""Messages to mend (field.md, part C): each error of a contract names the key, its line, and what to write; never a pattern."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from surveylake.config import load_config
from surveylake.contract.complaints import MOST_SHOWN
from surveylake.contract.model import load_contract
from surveylake.contract.strict_toml import line_of, read_toml
from surveylake.errors import ConfigError
from surveylake.paths import CONF
from surveylake.wording import listed, quoted

CONTRACT = """\
name = "tea"
title = "Tea"
topic = "Tea"
key = "who"

[fields.who]
source = "Who"
type = "string"
required = true

[fields.cup]
source = "Cup"
type = "string"
allowed = [
    "big",
    "small",
]

[fields.age]
source = "Age"
type = "integer"
min = 1
max = 110

[summaries]
by = [["cup"]]
measure = "age"

[charts]
group = "cup"
"""
PATTERN = re.compile(r"\[\^|\\x..-|\(\?|\]\+|\{1,|\$'")


def message_for(tmp_path: Path, old: str, new: str, text: str = CONTRACT) -> str:
    """The message and the hint on the contract with one piece of it changed."""
    assert text.count(old) == 1
    path = tmp_path / "tea.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_contract(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert not PATTERN.search(caught.value.message), "a regular expression is no message"
    assert max(map(len, caught.value.message.replace(str(path), "").splitlines())) < 320
    return f"{caught.value.message.removeprefix(str(path) + ': ')} | {caught.value.hint}"


def test_the_contract_that_is_changed_is_sound(tmp_path: Path) -> None:
    (tmp_path / "tea.toml").write_text(CONTRACT)
    assert load_contract(tmp_path / "tea.toml").name == "tea"


@pytest.mark.parametrize(
    ("old", "new", "message_part"),
    [
        ('source = "Cup"', """source = 'The "big" cup'""", "fields.cup.source: 'The \"big\" cup' holds a double quote (letter 5), which a source cannot; write source = \"The 'big' cup\": the CSV's header is read so (line 12)"),
        ('source = "Cup"', 'source = "Which\\ncup?"', r"fields.cup.source: 'Which\ncup?' holds a line break (letter 6)"),
        ('source = "Cup"', 'source = "a\\u0007"', "holds the control character U+0007 (letter 2)"),
        ('source = "Cup"', 'source = "a`b"', "holds a backtick (letter 2)"),
        ('source = "Cup"', 'source = "' + "é" * 500 + '\\"x"', "holds a double quote (letter 501)"),
        ('source = "Cup"', 'source = ""', "fields.cup.source: is empty; write the name that the column has in the CSV's header (line 12)"),
        ("[fields.cup]", f"[fields.{'q' * 64}]", "has 64 letters; the name of a column has 63 at most (line 11)"),
        ("[fields.cup]", "[fields.Cup]", "fields.Cup: 'Cup' must be snake_case: a to z, 0 to 9 and _, starting with a letter; write cup (line 11)"),
        ("[fields.cup]", '[fields."How old?"]', "write how_old (line 11)"),
        ("[fields.cup]", "[fields.2nd]", "fields.'2nd': '2nd' must be snake_case: a to z, 0 to 9 and _, starting with a letter (line 11)"),
        ('allowed = [\n    "big",\n    "small",\n]', "allowed = [1, 2]", 'fields.cup.allowed: 1 is a number; write them as texts, between quotes: "1", "2" (line 14)'),
        ('    "small",', "    7,", 'fields.cup.allowed: 7 is a number; write them as texts, between quotes: "7" (line 14)'),
        ('    "small",', "    2024-01-31,", 'fields.cup.allowed: 2024-01-31 is a date or a time; write them as texts, between quotes: "2024-01-31" (line 14)'),
        ('    "small",', "    true,", 'fields.cup.allowed: true is true or false; write them as texts, between quotes: "true"'),
        ('    "small",', '    "small ",', "'small ' can never be met: values are compared without blanks at the ends and with single spaces inside; write 'small' (line 14)"),
        ('    "small",', '    " ",', "' ' can never be met: a blank is no answer; leave it out (line 14)"),
        ('allowed = [\n    "big",\n    "small",\n]', 'allowed = "big"', 'fields.cup.allowed: \'big\' is a text; a list is wanted, between brackets: allowed = ["big"] (line 14)'),
        ("min = 1", 'min = "1"', "fields.age.min: '1' is a text; a number is wanted, without quotes: min = 1 (line 22)"),
        ("min = 1", "min = 1\nminimum = 1", "fields.age.minimum: unknown key; did you mean min? (line 23)"),
        ("min = 1", 'min = 1\nunknown_fields = "reject"', "fields.age.unknown_fields: unknown key; it belongs above the first [table] of the file (line 23)"),
        ('key = "who"', 'key = "who"\nby = [["cup"]]', "by: unknown key; it belongs under [summaries] (line 5)"),
        ('key = "who"', 'key = "who"\nrequired = true', "required: unknown key; it belongs under [fields.NAME] (line 5)"),
        ("min = 1", "min = 200", "fields.age.min: min 200 is above max 110: nothing would be accepted (line 22)"),
        ('type = "integer"', 'type = "int"', "fields.age.type: unknown type 'int'; write integer, or decimal(10,2); known types: string, integer, double, boolean, date, timestamp, scale, set, decimal(precision,scale) (line 21)"),
        ('type = "integer"', 'type = "VARCHAR(20)"', "unknown type 'VARCHAR(20)'; write string;"),
        ('type = "integer"', 'type = "string"', "fields.age.min: min and max are for numbers; the type is string: leave them out, or write another type (line 22)"),
        ('type = "integer"', 'type = "integer"\nmissing = ["9"]\nallowed = [8, 9]', "fields.age.missing: 9 has another meaning in this field; each text may have one (line 22)"),
        ('type = "integer"', 'type = "integer"\ntrue = ["1"]', "fields.age.true: true is for booleans; the type is integer: leave it out; or write type = \"boolean\" (line 22)"),
        ('type = "integer"', 'type = "integer"\nallowed = ["1"]', "fields.age.allowed: '1' is no whole number; the type is integer, so allowed lists such, without quotes (line 22)"),
        ('topic = "Tea"', 'topic = "Tea time"', "topic: 'Tea time': a topic's name is of the letters a to z and A to Z, digits, '.', '_' and '-'; letter 4 is a blank (line 3)"),
        ('topic = "Tea"', "", "topic: is missing; write topic = …"),
        ('source = "Age"\n', "", "fields.age.source: is missing; write source = … (line 19)"),
        ('key = "who"', 'key = "whom"', "key: key 'whom' is not one of the fields; did you mean who? (line 4)"),
        ("required = true", "required = false", "fields.who.required: key 'who' must be required = true: it says who answered (line 9)"),
        ("required = true", 'required = "yes"', "fields.who.required: 'yes' is a text; write required = true or required = false, without quotes (line 9)"),
        ('source = "Age"', 'source = "Cup"', "fields.age.source: two fields have the source 'Cup': cup, age; a column goes into one field (line 20)"),
        ('group = "cup"', 'group = "cups"', "charts.group: not a column: 'cups'; did you mean cup? (line 30)"),
        ('by = [["cup"]]', 'by = ["cup"]', "summaries.by: 'cup' is a text; a list is wanted, between brackets: by = [[\"cup\"]] (line 26)"),
        ('by = [["cup"]]', 'by = [["cup"], ["cup"]]', "summaries.by: twice the same: cup; each table may stand once, of different columns (line 26)"),
        ('measure = "age"', 'measure = "cup"', "summaries.measure: a measure must be a number; cup is of type string (line 27)"),
        ('[charts]\ngroup = "cup"', 'charts = "cup"', "unknown key"),
        ("[charts]", '[rules]\na = 1\n[charts]', 'rules.a: 1 is a number; write it as a text, between quotes: "1" (line 30)'),
    ],
)  # fmt: skip
def test_an_error_names_key_and_line_and_what_to_write(
    tmp_path: Path, old: str, new: str, message_part: str
) -> None:
    assert message_part in message_for(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "new", "message_part"),
    [
        ('title = "Tea"', "title = Tea", "line 2, 'title = Tea': Invalid value | Correct the line. A text stands between quotes"),
        ('title = "Tea"', "title = “Tea”", "The quotes are curly ones"),
        ('title = "Tea"', 'title = "C:\\Tea"', "A backslash between double quotes is written twice"),
        ('title = "Tea"', 'title = "Tea"\ntitle = "x"', "line 3, 'title = \"x\"': Cannot overwrite a value"),
        ('group = "cup"', 'group = "cup', "line 30, 'group = \"cup'"),
        ('title = "Tea"', "title = " + "x" * 3_000, "xxx…': Invalid value"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_toml_shows_the_line(tmp_path: Path, old: str, new: str, message_part: str) -> None:
    assert message_part in message_for(tmp_path, old, new)


def test_a_byte_order_mark_is_no_fault_and_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tea.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CONTRACT.encode())
    assert load_contract(path).name == "tea"
    path.write_bytes(CONTRACT.encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-16 is not UTF-8"):
        load_contract(path)
    path.write_bytes(CONTRACT.replace('title = "Tea"', 'title = "Thé"').encode("latin-1"))
    with pytest.raises(ConfigError, match="line 2 is not UTF-8"):
        load_contract(path)


def test_of_very_many_errors_the_first_are_told(tmp_path: Path) -> None:
    fields = "".join(f"[fields.Q{i}]\nsource = 'Q{i}'\ntype = 'text'\n" for i in range(200))
    message = message_for(tmp_path, "[charts]", f"{fields}[charts]")
    assert len(message.splitlines()) == MOST_SHOWN + 1
    assert "and 380 more" in message


def test_a_conf_file_tells_key_line_and_way_out_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "conf.toml"
    path.write_text(
        '[kafka]\npartitions = "4"\nbootstrp = "x"\n[kafka.options]\n"sasl.password" = 4711\n[stream]\nbatch_seconds = 0\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.message.splitlines() == [
        f"{path}: kafka.partitions: '4' is a text; a number is wanted, without quotes: partitions = 4 (line 2)",
        "  kafka.options.'sasl.password': the value is a number; write it as a text, between quotes (line 5)",
        "  kafka.bootstrp: unknown key; did you mean bootstrap? (line 3)",
        "  stream.batch_seconds: 0 cannot be; write more than 0 (line 7)",
    ]


def keys_of(values: dict[str, Any]) -> list[tuple[str, ...]]:
    keys: list[tuple[str, ...]] = []
    for name, value in values.items():
        keys += [(name,), *((name, *key) for key in (keys_of(value) if isinstance(value, dict) else []))]
    return keys


@pytest.mark.parametrize(
    "path", [*CONF.glob("*.toml"), *CONF.glob("surveys/*.toml")], ids=lambda path: path.name
)
def test_every_key_of_every_file_is_found_in_its_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    for key in keys_of(tomllib.loads(text)):
        line = line_of(text, key)
        assert line is not None
        assert key[-1] in lines[line - 1] or f"{key[-1]}." in lines[line - 1], (key, lines[line - 1])


def test_the_line_of_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert line_of(CONTRACT, ("fields", "tea")) is None
    assert line_of(CONTRACT, ()) is None
    assert line_of('a = """\nb = 1\n"""\n\nb = """\n2\n"""\n', ("b",)) == 5
    assert line_of("a.b.c = 1\na.b.d = 2", ("a", "b", "d")) == 2
    (tmp_path / "x.toml").write_text("a = 1")
    assert read_toml(tmp_path / "x.toml").values == {"a": 1}


def test_names_in_messages_are_short_and_on_one_line() -> None:
    assert quoted("a\nb\x1b\udca3") == r"'a\nb\x1b\xa3'"
    assert quoted("x" * 300) == f"'{'x' * 40}…'"
    assert listed(str(i) for i in range(100)) == "0, 1, 2, 3, 4, 5, 6, 7 and 92 more"
    assert len(listed(["y" * 300] * 300)) < 400

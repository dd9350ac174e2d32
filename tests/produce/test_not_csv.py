"""Files given as a CSV that have another format or a bad header: the message names it, and says what to do."""

import bz2
import gzip
import io
import lzma
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce.csv_rows import read_answers
from surveylake.wording import printable

LONG = "How often did you, in the last twelve months, drink tea that somebody else had made for you?"
BODY = "Who,Tea £\na,Assam\nb,Café\n"


def contract(*sources: str) -> Contract:
    fields = {
        f"f{n}": {"source": source, "type": "string", "required": n == 0} for n, source in enumerate(sources)
    }
    return Contract.model_validate(
        {"name": "tea", "title": "Tea", "topic": "Tea", "key": "f0", "fields": fields}
    )


TEA = contract("Who", "Tea £")


def refusal(tmp_path: Path, content: str | bytes, survey: Contract = TEA) -> tuple[list[str], str]:
    """Return the message's lines without the path, and the hint; both are seen to be short and printable."""
    path = tmp_path / "tea.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as caught:
        read_answers(path, survey)
    message, hint = printable(caught.value.message), printable(caught.value.hint)
    assert message == caught.value.message, "nothing that a terminal would act on"
    assert hint
    lines = [line.replace(str(path), "FILE").strip() for line in message.splitlines()]
    assert max(map(len, lines)) < 300 and len(lines) < 25
    assert not any("\ud800" <= letter <= "\udfff" for letter in message + hint)
    return lines, hint.replace(str(path), "FILE")


def archive(*members: tuple[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message", "todo"),
    [
        (gzip.compress(BODY.encode(), mtime=0), "FILE is packed with gzip", "gzip -dc FILE > unpacked.csv"),
        (bz2.compress(BODY.encode()), "FILE is packed with bzip2", "bzip2 -dc FILE > unpacked.csv"),
        (lzma.compress(BODY.encode()), "FILE is packed with xz", "xz -dc FILE > unpacked.csv"),
        (b"\x28\xb5\x2f\xfd" + b"ab" * 300, "FILE is packed with zstd", "zstd -dc FILE > unpacked.csv"),
        (archive(("a.csv", BODY)), "FILE is a zip archive of 1 file", "unzip -p FILE > unpacked.csv"),
        (archive(("a.csv", BODY), ("b.csv", BODY)), "FILE is a zip archive of 2 files", "unzip"),
        (archive(("[Content_Types].xml", "<x/>"), ("xl/workbook.xml", "<x/>")), "FILE is an Excel workbook, and it cannot be read: ", "Save it again as .xlsx"),
        (archive(("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", "")), "FILE is an OpenDocument spreadsheet (.ods), not a CSV", "save it as 'CSV UTF-8'"),
        (archive(("Index/Document.iwa", "")), "FILE is an Apple Numbers document, not a CSV", "save it as 'CSV UTF-8'"),
        (archive(("xl/workbook.xml", "x" * 9_000))[:90], "FILE is a zip archive or a workbook, and it is broken or cut off", "Fetch the file again"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 300, "FILE is an Excel workbook of the old kind (.xls), not a CSV", "save it as 'CSV UTF-8'"),
        (b"%PDF-1.7\n" + bytes(range(256)), "FILE is a PDF document, not a CSV", "Give the CSV"),
        (BODY.encode("utf-16"), "FILE is UTF-16, not UTF-8", "iconv -f UTF-16 -t UTF-8"),
        (BODY.encode("utf-16-le"), "FILE is UTF-16-LE without a byte order mark, not UTF-8", "iconv -f UTF-16LE -t UTF-8"),
        (BODY.encode("utf-16-be"), "FILE is UTF-16-BE without a byte order mark, not UTF-8", 'encoding = "utf-16-be"'),
        (BODY.encode("utf-32-le"), "FILE is UTF-32-LE without a byte order mark, not UTF-8", 'encoding = "utf-32-le"'),
        (BODY.encode("utf-32"), "FILE is UTF-32, not UTF-8", "iconv -f UTF-32 -t UTF-8"),
        ("<!DOCTYPE html>\n<html><title>Sign in</title>" + "x" * 900, "FILE, line 1: this is a page of HTML, not a CSV", "signed in"),
        ("<?xml version='1.0'?>\n<Workbook>", "FILE, line 1: this is XML, not a CSV", "save it as 'CSV UTF-8'"),
        ('[{"Who": "a", "Tea £": "b"}]', "FILE, line 1: this is JSON, not a CSV", "with a header and one row per answer"),
        ('{"Who": "a"}\n{"Who": "b"}\n', "FILE, line 1: this is JSON, not a CSV", "with a header and one row per answer"),
        (b"\x01\x00\x02" + bytes(range(256)) * 9, "FILE, line 1: this is no text: NUL characters are in it", "saved as UTF-8"),
    ],
)  # fmt: skip
def test_b15_another_kind_of_file_is_named_with_what_to_do(
    tmp_path: Path, content: bytes, message: str, todo: str
) -> None:
    lines, hint = refusal(tmp_path, content)
    assert lines == [message] or (message.endswith(": ") and lines[0].startswith(message))
    assert todo in hint


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("line", ["sep=;", '"sep=;"'])
def test_b15_the_line_for_spreadsheets_is_named(tmp_path: Path, mark: str, end: str, line: str) -> None:
    lines, todo = refusal(tmp_path, mark + line + end + BODY.replace("\n", end))
    assert f"line 1: is '{line}', which only spreadsheets read; the header follows it" in lines
    assert todo.startswith("Delete line 1.")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("line", ["sep=,", '"sep=,"'])
def test_the_line_for_spreadsheets_is_passed_over_where_it_is_true(
    tmp_path: Path, mark: str, end: str, line: str
) -> None:
    path = tmp_path / "tea.csv"
    path.write_bytes((mark + line + end + BODY.replace("\n", end) + "c" + end).encode())
    answers = read_answers(path, TEA)
    assert (answers.header, answers.rows, list(answers.bad)) == (("Who", "Tea £"), 2, [5])


def test_b15_the_line_for_spreadsheets_and_the_separator_are_told_together(tmp_path: Path) -> None:
    lines, todo = refusal(tmp_path, "sep=;\r\n" + BODY.replace(",", ";"))
    assert lines[1:] == [
        "line 1: is 'sep=;', which only spreadsheets read; the header follows it",
        "line 2: cells are separated by ';', not by commas",
    ]
    assert todo.startswith("Delete line 1. Save the file with commas")


@pytest.mark.parametrize(("mark", "called"), [(";", "';'"), ("\t", "tabs"), ("|", "'|'")])
@pytest.mark.parametrize("body", [
    "Who,Tea £\na,Assam\n",
    '"Who","Tea £"\n"a","Assam"\n',
    "Who,Tea £,How many, if any\na,Assam,1\n",
])  # fmt: skip
def test_b15_what_separates_the_cells_is_named_also_where_a_comma_is_in_the_header(
    tmp_path: Path, mark: str, called: str, body: str
) -> None:
    lines, todo = refusal(tmp_path, body.replace(",", mark).replace(f"{mark} if any", ", if any"))
    assert lines == [f"FILE, line 1: cells are separated by {called}, not by commas"]
    assert todo.startswith("Save the file with commas")


def test_encoding_and_separator_are_told_together_and_the_header_is_readable(tmp_path: Path) -> None:
    """As a European spreadsheet saves: semicolons, decimal commas, Windows-1252."""
    lines, todo = refusal(
        tmp_path, "Who;Tea £;Price\na;Assam;1,5\n".encode("cp1252"), contract("Who", "Tea £", "Cost")
    )
    assert lines == [
        "FILE cannot be sent as it is",
        "line 1: cells are separated by ';', not by commas",
        r"line 1: the header is not UTF-8 (byte 0xA3 in column 2, 'Tea \xa3'; £ in Windows-1252)",
        "line 1: the header lacks Cost",
    ]
    assert "with commas" in todo and "iconv" in todo and "rename the columns" in todo


def test_a_name_that_only_its_encoding_spoils_is_not_missing(tmp_path: Path) -> None:
    lines, todo = refusal(tmp_path, BODY.encode("cp1252"))
    assert lines == [
        r"FILE, line 1: the header is not UTF-8 (byte 0xA3 in column 2, 'Tea \xa3'; £ in Windows-1252)"
    ]
    assert "CSV UTF-8" in todo and "\ufffd" not in todo


def notes(tmp_path: Path, header: str) -> list[str]:
    """What is told of a header that is taken, beside the list of columns that are sent along."""
    path = tmp_path / "tea.csv"
    path.write_text(f"{header}\n{',' * header.count(',')}\n", encoding="utf-8")
    return [note for note in read_answers(path, TEA).notes if "does not name" not in note]


def test_every_column_without_a_name_is_told_by_number_and_letter(tmp_path: Path) -> None:
    assert notes(tmp_path, "Who,,Tea £,") == ["columns 2 (B), 4 (D) have no name: sent as #2, #4"]
    (note,) = notes(tmp_path, "Who,Tea £" + "," * 60)
    assert note.startswith(
        "columns 3 (C), 4 (D), 5 (E), 6 (F), 7 (G), 8 (H), 9 (I), 10 (J) and 52 more have no name: sent as #3, #4"
    )
    assert notes(tmp_path, "Who,Tea £," + ",".join(f"x{n}" for n in range(26)) + ",") == [
        "column 29 (AC) has no name: sent as #29"
    ]


def test_long_names_that_stand_twice_are_readable(tmp_path: Path) -> None:
    questions = [f"{LONG} {n}".replace(",", "") for n in (1, 1, 2, 2, 3, 3, 3)]
    told = notes(tmp_path, ",".join(["Who", "Tea £", *questions]))
    cut = "How often did you in the last twelve mon…"
    assert [note.partition(": sent as ")[0] for note in told] == [
        f"columns 3 (C), 4 (D) are both called '{cut}'",
        f"columns 5 (E), 6 (F) are both called '{cut}'",
        f"columns 7 (G), 8 (H), 9 (I) are all called '{cut}'",
    ]
    told = notes(tmp_path, ",".join(["Who", "Tea £", *(f"x{n // 2}" for n in range(100))]))
    assert told[-1] == "45 more names stand twice: each is sent with #1, #2 behind it"


def test_names_that_stand_twice_and_are_asked_for_are_readable(tmp_path: Path) -> None:
    lines, todo = refusal(tmp_path, "Who,Tea £,Tea £,Tea £\n1,2,3,4\n")
    assert lines == ["FILE, line 1: columns 2 (B), 3 (C), 4 (D) are all called 'Tea £'"]
    assert todo == "Write as source which one is meant: Tea £#1 or Tea £#2 or Tea £#3."


def test_of_many_missing_names_the_first_are_told(tmp_path: Path) -> None:
    lines, todo = refusal(
        tmp_path, "a,b\n1,2\n", contract(*(f"{LONG} {n}".replace(",", "") for n in range(65)))
    )
    assert lines[0].endswith("and 60 more")
    assert len(todo) < 700


def test_a_title_above_the_header_is_named(tmp_path: Path) -> None:
    lines, todo = refusal(tmp_path, "Results of 2026,\n\nWho,Tea £\na,b\n")
    assert lines == ["FILE, line 1: this is not the header: it has not the contract's names"]
    assert todo == "Line 3 has them all: delete the lines above it."


def test_a_file_without_a_header_is_told_so(tmp_path: Path) -> None:
    lines, todo = refusal(tmp_path, "a,Assam\nb,Darjeeling\n")
    assert lines == ["FILE, line 1: the header lacks Who, Tea £"]
    assert "Where the file has no header, write one above its first line." in todo


def test_quotes_around_the_whole_line_are_named(tmp_path: Path) -> None:
    lines, _ = refusal(tmp_path, '"Who,Tea £"\n"a,b"\n')
    assert lines == ["FILE, line 1: the header lacks Who, Tea £: quotes stand around the whole line"]


def test_a_semicolon_within_a_name_is_no_separator(tmp_path: Path) -> None:
    lines, _ = refusal(tmp_path, "Name,Languages (a;b;c;d)\nx,a;b\ny,c\n")
    assert lines == ["FILE, line 1: the header lacks Who, Tea £"]


def test_a_sound_file_is_never_refused_for_what_it_looks_like(tmp_path: Path) -> None:
    survey = contract("sep=;", "<html", "a;b;c|d")
    path = tmp_path / "odd.csv"
    path.write_text("sep=;,<html,a;b;c|d\n1,2,3\n", encoding="utf-8")
    assert read_answers(path, survey).rows == 1


def test_columns_sent_along_are_told_in_one_short_line(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(
        ",".join(["Who", "Tea £", *(f'"{LONG} {n}"' for n in range(98))]) + "\n" + ",".join("x" * 100) + "\n",
        encoding="utf-8",
    )
    (note,) = read_answers(path, TEA).notes
    assert note.endswith(" and 90 more") and len(note) < 420


def test_lines_in_another_encoding_are_told_with_the_way_out_once(tmp_path: Path) -> None:
    path = tmp_path / "tea.csv"
    path.write_bytes("Who,Tea £\n".encode() + "a,Café\nb,Thé\n".encode("cp1252"))
    lines = read_answers(path, TEA).describe_bad().splitlines()
    assert lines[0] == "  lines 2 to 3: each is not UTF-8 (byte 0xE9 in Tea £; é in Windows-1252)"
    assert lines[1].startswith("  not UTF-8: save the file as UTF-8")
    assert len(lines) == 2


@given(st.binary(max_size=400), st.integers(0, 10_000))
def test_b15_no_rubbish_is_ever_printed(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, seed: int
) -> None:
    rng = random.Random(seed)
    noise = content + bytes(rng.choice(b'ab;,|\t\n"\x00\xff\xe9') for _ in range(rng.randint(0, 600)))
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    path.write_bytes(noise)
    try:
        message = read_answers(path, TEA).describe_bad()
    except InputError as error:
        message = error.message
        assert printable(error.hint) == error.hint and len(error.hint) < 900
    assert printable(message) == message
    assert all(len(line) < 420 for line in message.splitlines())
    message.encode()

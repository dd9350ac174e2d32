"""Dates, moments and durations of an SPSS file, which are seconds with a format."""

import datetime
import json
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.check.cell_judge import CellJudge
from surveylake.contract.model import Contract
from surveylake.produce import spss_file
from surveylake.produce.csv_rows import chunks, read_answers
from surveylake.produce.spss_moments import written_as

ORIGIN = datetime.datetime(1582, 10, 14)
MAY_4 = (datetime.datetime(2024, 5, 4) - ORIGIN).total_seconds()
COUNT_AT = 80
"""where a .sav has its number of cases"""


def contract(kind: str = "string") -> Contract:
    fields = {
        "id": {"source": "id", "type": "string", "required": True},
        "said": {"source": "said", "type": kind},
    }
    return Contract.model_validate(
        {"name": "tea", "title": "Tea", "topic": "Tea", "key": "id", "fields": fields}
    )


def file(folder: Path, said: list[float | None], form: str, compress: bool = False) -> Path:
    path = folder / "people.sav"
    frame = pd.DataFrame({"id": [float(at) for at in range(len(said))], "said": said})
    pyreadstat.write_sav(frame, path, variable_format={"said": form}, row_compress=compress)
    return path


def sent(path: Path) -> list[str]:
    answers = read_answers(path, contract())
    assert answers.bad == {}
    return [json.loads(value)["said"] for chunk in chunks(answers, contract()) for *_, value in chunk]


@pytest.mark.parametrize("form", ["TIME8", "TIME11.2", "DTIME12", "MTIME8"])
def test_a_duration_is_no_time_of_day(tmp_path: Path, form: str) -> None:
    said = [90_000.0, -3_600.0, 3_661.5, 0.0, 86_399.0, 86_400.0, -0.5, 59.999_999_9, None]
    assert sent(file(tmp_path, said, form)) == [
        "25:00:00", "-01:00:00", "01:01:01.500000", "00:00:00", "23:59:59", "24:00:00", "-00:00:00.500000", "00:01:00", "",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["DATE11", "ADATE10", "EDATE10", "SDATE10", "JDATE7"])
def test_every_kind_of_date_is_a_date(tmp_path: Path, form: str) -> None:
    assert sent(file(tmp_path, [MAY_4, None, MAY_4 + 86_399], form)) == ["2024-05-04", "", "2024-05-04"]


@pytest.mark.parametrize("form", ["DATETIME20", "DATETIME23.2", "YMDHMS20"])
def test_a_moment_is_one(tmp_path: Path, form: str) -> None:
    assert sent(file(tmp_path, [MAY_4, MAY_4 + 3_661, MAY_4 + 0.25], form)) == [
        "2024-05-04T00:00:00", "2024-05-04T01:01:01", "2024-05-04T00:00:00.250000",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["MONTH9", "WKDAY9", "F8.2", "MOYR8"])
def test_numbers_that_only_look_like_a_month_stay_numbers(tmp_path: Path, form: str) -> None:
    assert sent(file(tmp_path, [3.0, 0.5], form)) == ["3", "0.5"]


@pytest.mark.parametrize(("form", "kind"), [("DATE11", "date"), ("DATETIME20", "timestamp")])
@pytest.mark.parametrize("seconds", [1e12, -1e12, 1e300, -5e10])
def test_a_day_of_no_calendar_is_sent_and_rejected(
    tmp_path: Path, form: str, kind: str, seconds: float
) -> None:
    (text,) = sent(file(tmp_path, [seconds], form))
    field = contract(kind).fields["said"]
    assert CellJudge(field).judged(text)[1] == f"not_a_{kind}"


def test_years_of_more_digits_are_counted_on() -> None:
    write = written_as("DATE11")
    assert write is not None
    last = (datetime.datetime(9999, 12, 31) - ORIGIN).total_seconds()
    assert [write(last), write(last + 86_400)] == ["9999-12-31", "10000-01-01"]
    first = (datetime.datetime(1, 1, 1) - ORIGIN).total_seconds()
    assert [write(first), write(first - 86_400)] == ["0001-01-01", "0000-12-31"]


@given(st.datetimes(min_value=datetime.datetime(1, 1, 2), max_value=datetime.datetime(9999, 12, 30)))
def test_a_moment_is_written_as_python_writes_it(moment: datetime.datetime) -> None:
    seconds = (moment - ORIGIN).total_seconds()
    whole, part = divmod(seconds, 1)
    same = ORIGIN + datetime.timedelta(seconds=int(whole), microseconds=round(part * 1e6))
    date, time = written_as("DATE11"), written_as("DATETIME23.2")
    assert date is not None and time is not None
    assert time(seconds) == same.isoformat()
    assert date(whole) == (ORIGIN + datetime.timedelta(seconds=int(whole))).date().isoformat()


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("at_once", [2, 3, 4, 100])
def test_a_file_that_does_not_say_how_many_cases_it_has_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: bool, at_once: int
) -> None:
    """SPSS and others write -1 where they did not know it when they began."""
    path = file(tmp_path, [1.0, 2.0, None, 4.0, 5.0, 6.0], "F8.2", compress)
    content = bytearray(path.read_bytes())
    assert content[COUNT_AT : COUNT_AT + 4] == (6).to_bytes(4, "little")
    content[COUNT_AT : COUNT_AT + 4] = (-1).to_bytes(4, "little", signed=True)
    path.write_bytes(content)
    monkeypatch.setattr(spss_file, "CASES_AT_ONCE", at_once)
    assert sent(path) == ["1", "2", "", "4", "5", "6"]

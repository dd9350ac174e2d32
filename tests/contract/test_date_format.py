"""Formats of dates and times: what they say is what is read, and Python reads the same from them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveylake.contract.date_format import has_time, pattern, pieces, written

FORMATS = {
    "M/d/yyyy H:mm:ss": "%m/%d/%Y %H:%M:%S",
    "dd.MM.yy": "%d.%m.%y",
    "dd MMM yyyy, hh:mm a": "%d %b %Y, %I:%M %p",
    "yyyy-MM-dd'T'HH:mm:ssXXX": "%Y-%m-%dT%H:%M:%S%z",
}
"""Each format, as Python writes it."""


@pytest.mark.parametrize("form", FORMATS)
@given(minutes=st.integers(0, 60 * 24 * 365 * 60))
def test_a_time_is_written_so_that_python_reads_it(form: str, minutes: int) -> None:
    moment = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    text = written(form, moment)
    assert re.fullmatch(pattern(form), text)
    read = datetime.strptime(text, FORMATS[form]).replace(tzinfo=UTC)
    assert read == (moment if has_time(form) else moment.replace(hour=0, minute=0))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("M/d/yyyy", "1/2/0000"), ("M/d/yyyy", "01/02/20"), ("MM/dd/yyyy", "1/2/2020"), ("d.M.yy", "1.2.2020"), ("d.M.yy", "1x2.20"),
        ("dd MMM yyyy", "01 Juni 2020"), ("d.M.yyyy H:mm", "1.2.2020 7:5"), ("d.M.yyyy h:mm a", "1.2.2020 7:05"), ("d.M.yyyy", "1.2.2020 "),
        ("yyyy-MM-dd HH:mmXXX", "2020-01-01 10:00+0100"), ("d.M.yyyy", "١.٢.٢٠٢٠"),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_is_not_of_the_format(form: str, text: str) -> None:
    assert not re.fullmatch(pattern(form), text)


def test_a_quoted_text_stands_for_itself() -> None:
    assert pieces("yyyy'MM'dd.MM") == ["yyyy", "'MM'", "dd", ".", "MM"]
    assert re.fullmatch(pattern("yyyy'MM'dd.MM"), "2020MM31.12")

"""How a survey's files are written, the table [input] of a contract: declared, never guessed."""

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from surveylake.contract.complaints import WrongValueError
from surveylake.contract.field_types import Part
from surveylake.wording import quoted

MOST_HEADER_ROWS = 9
UTF8 = "utf-8"


def _letter(text: str) -> str:
    if len(text) != 1 or text in '\r\n\0"':
        raise WrongValueError(
            f'{quoted(text)} must be one character between two cells, such as "," ";" "|" or "\\t" for a tab'
        )
    return text


def _comment(text: str) -> str:
    if len(text) > 1 or text in {"\r", "\n", "\0"}:
        raise WrongValueError(f'{quoted(text)} must be one character, such as "#", or "" for none')
    return text


def _encoding(name: str) -> str:
    """Return the encoding's usual name. Raises WrongValueError for one that is no encoding of texts."""
    try:
        found = codecs.lookup(name)
        "a".encode(found.name).decode(found.name)
    except (LookupError, UnicodeError, TypeError):
        raise WrongValueError(
            f'{quoted(name)} is no encoding; usual ones are "utf-8", "windows-1252", "iso-8859-1", "mac-roman", "utf-16"'
        ) from None
    return found.name


Separator = Annotated[str, AfterValidator(_letter)]
Comment = Annotated[str, AfterValidator(_comment)]
Encoding = Annotated[str, AfterValidator(_encoding)]
RowCount = Annotated[int, Field(ge=1, le=MOST_HEADER_ROWS)]


class Input(Part):
    """The form of a file of answers."""

    delimiter: Separator = ","
    r"""what separates two cells: `";"`, `"\t"` for a tab, any one character"""
    quote: Literal['"', "'", ""] = '"'
    """what stands around a cell that holds a delimiter: `'"'`, `"'"`, or `""` for nothing"""
    encoding: Encoding = UTF8
    """such as `"windows-1252"`, `"mac-roman"`, `"utf-16"`"""
    decimal: Literal[".", ","] = "."
    """the decimal mark. With `","` the cell `1,5` of a number is sent as 1.5, a cell that is no number (`k.A.`) as it is,
    and a line with a point in a number is a bad line"""
    header_rows: RowCount = 1
    """rows above the first answer, 9 at most; Qualtrics has 3"""
    header_row: RowCount = 1
    """which of them has the names that `source` means; 2 has the questions' texts in Qualtrics"""
    comment: Comment = ""
    """how a line begins that is no row, such as `"#"`"""
    blank_rows: Literal["send", "skip"] = "send"
    """`"skip"`: a row whose cells are all blank is left out; `"send"`: it is sent, and judged"""
    sheet: str = ""
    """the sheet of a workbook that has several; default: the only one"""
    values: Literal["codes", "labels"] = "codes"
    """of an SPSS file: `"codes"`, or the `"labels"` that they have in it"""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.header_row > self.header_rows:
            raise WrongValueError(
                f"header_row {self.header_row} is below the {self.header_rows} header_rows: raise header_rows",
                "header_row",
            )
        if self.comment and self.comment in {self.delimiter, self.quote}:
            raise WrongValueError("is the delimiter or the quote; a comment begins otherwise", "comment")
        if self.quote == self.delimiter:
            raise WrongValueError("is the delimiter; cells are quoted by another character", "quote")
        return self

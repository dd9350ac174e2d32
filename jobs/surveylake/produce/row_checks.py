"""What can be wrong with a row beyond its shape, by the form that the contract declares."""

from pathlib import Path

from surveylake.contract.input_format import UTF8, Input
from surveylake.contract.model import Contract
from surveylake.errors import InputError
from surveylake.produce.decimal_comma import DecimalComma
from surveylake.wording import listed


def checks(header: tuple[str, ...], contract: Contract, form: Input) -> "RowChecks | None":
    """Return the checks of a file's rows; None for a form that asks for none, whose rows then cost nothing more."""
    is_plain = form.encoding == UTF8 and form.decimal == "."
    return None if is_plain else RowChecks(header, contract, form)


class RowChecks:
    """What is wrong with a row beyond its shape: a point in a number whose mark is a comma, an encoding that is another."""

    def __init__(self, header: tuple[str, ...], contract: Contract, form: Input) -> None:
        self._form, self._header = form, header
        self._numbers = DecimalComma(header, contract, form.decimal)
        self._utf8_line, self._is_other = 0, self._form.encoding == UTF8

    def fault(self, line: int, row: list[str]) -> str:
        """Return what is wrong with a row; empty when nothing is."""
        if not self._is_other and not (text := "".join(row)).isascii():
            try:
                text.encode(self._form.encoding, "surrogateescape").decode(UTF8)
                self._utf8_line = self._utf8_line or line
            except UnicodeError:
                self._is_other = True
        if (at := self._numbers.with_a_point(row)) is not None:
            return f"has a point in {listed([self._header[at]])}, and its decimal mark is a comma by [input]"
        return ""

    def refuse_utf8(self, path: Path) -> None:
        """Raise InputError when all letters beyond ASCII are UTF-8, and another encoding is declared."""
        if self._utf8_line and not self._is_other:
            raise InputError(
                f"{path}, line {self._utf8_line}: this is UTF-8, and the contract says encoding = {self._form.encoding}",
                "Correct encoding under [input] in the contract, or leave it out.",
            )

    def converted(self, row: list[str]) -> list[str]:
        """Return the row with a point for the comma in its numbers."""
        self._numbers.to_points(row)
        return row

"""The messages of section G of the fault list, each with the reasons it must get."""

import json
from dataclasses import dataclass

from support.validation import ANSWER


@dataclass(frozen=True)
class Case:
    """One message of the fault list: its row, what it is, its bytes and the reasons it must get ([] = accepted)."""

    row: str
    what: str
    value: bytes | None
    reasons: list[str]
    fields: tuple[tuple[str, object], ...] = ()


def answer(**changes: object) -> bytes:
    return json.dumps(ANSWER | changes, ensure_ascii=False).encode("utf-8", "surrogatepass")


def without(*names: str, **more: object) -> bytes:
    return json.dumps({k: v for k, v in ANSWER.items() if k not in names} | more).encode()


def age_as_written(written: str) -> bytes:
    """An answer whose Age is this JSON, be it JSON or not."""
    return answer().replace(b'"24"', written.encode())


GOOD = answer()
MISSING_ALL = [f"missing_field:{source}" for source in ANSWER]
CASES = [
    Case("G1", "not JSON", b"hello", ["malformed"]),
    Case("G1", "truncated", GOOD[:-1], ["malformed"]),
    Case("G1", "truncated in a string", GOOD[:30], ["malformed"]),
    Case("G1", "an array", b"[" + GOOD + b"]", ["not_an_object"]),
    Case("G1", "a number", b"24", ["not_an_object"]),
    Case("G1", "a string", b'"24"', ["not_an_object"]),
    Case("G1", "null", b"null", ["not_an_object"]),
    Case("G1", "an array and more", b"[1] x", ["malformed"]),
    Case("G1", "a number and a brace", b"24}", ["malformed"]),
    Case("G1", "a number, a brace and an opening one", b"24{}", ["malformed"]),
    Case("G1", "an array and a brace", b"[1]}", ["malformed"]),
    Case("G1", "a leading zero", age_as_written("024"), ["malformed"]),
    Case("G1", "a comment", GOOD[:-1] + b"/* well */}", ["malformed"]),
    Case("G1", "a comment after it", GOOD + b" // well", ["trailing_data"]),
    Case("G1", "a byte order mark", b"\xef\xbb\xbf" + GOOD, ["malformed"]),
    Case("G1", "a comma too many", GOOD[:-1] + b",}", ["malformed"]),
    Case("G2", "two documents", GOOD + GOOD, ["trailing_data"]),
    Case("G2", "two documents in two lines", GOOD + b"\n" + GOOD, ["trailing_data"]),
    Case("G2", "trailing text", GOOD + b" x", ["trailing_data"]),
    Case("G2", "a bracket made for the list check", GOOD + b"] x", ["trailing_data"]),
    Case("G2", "a brace made for the object check", GOOD + b"} x", ["trailing_data"]),
    Case("G2", "a bracket and a document", GOOD + b"] {", ["trailing_data"]),
    Case("G2", "a brace too many", GOOD + b"}", ["trailing_data"]),
    Case("G2", "a closing brace in a text", answer(Nationality="a } b"), []),
    Case("G2", "a closing brace in a text, and text after it", answer(Nationality="a } b") + b" x", ["trailing_data"]),
    Case("G2", "white space after it", GOOD + b" \r\n\t", []),
    Case("G3", "a key twice", GOOD[:-1] + b', "Age": "25"}', ["duplicate_key"]),
    Case("G3", "a key twice, alike", GOOD[:-1] + b', "Age": "24"}', ["duplicate_key"]),
    Case("G3", "a key twice, once escaped", GOOD[:-1] + b', "\\u0041ge": "25"}', ["duplicate_key"]),
    Case("G3", "an unknown key twice", GOOD[:-1] + b', "x": 1, "x": 2}', ["duplicate_key"]),
    Case("G4", "a missing key", without("Age"), ["missing_field:Age"]),
    Case("G4", "a missing optional key", without("Nationality"), ["missing_field:Nationality"]),
    Case("G4", "a key in another case", without("Age", AGE="24"), ["missing_field:Age", "wrong_case:Age"]),
    Case("G4", "an empty object", b"{}", MISSING_ALL),
    Case("G5", "an unknown field", answer(Shoe=43), []),
    Case("G5", "an unknown nested field", answer(More={"a": [1]}), []),
    Case("G6", "an object for a text", answer(Gender={"x": 1}), ["wrong_type:Gender"], (("gender", None),)),
    Case("G6", "a list for a number", answer(Age=[24]), ["wrong_type:Age"], (("age", None),)),
    Case("G6", "a boolean for a text", answer(Dessert=True), ["wrong_type:Dessert"], (("dessert", None),)),
    Case("G7", "single quotes", GOOD.replace(b'"', b"'"), ["malformed"]),
    Case("G7", "NaN", age_as_written("NaN"), ["malformed"]),
    Case("G7", "Infinity", age_as_written("-Infinity"), ["malformed"]),
    Case("G8", "an empty value", b"", ["empty_payload"]),
    Case("G8", "a blank value", b" \r\n\t ", ["empty_payload"]),
    Case("G8", "no value", None, ["tombstone"]),
    Case("G9", "a byte that is no UTF-8", GOOD.replace(b"Indian", b"Indi\xe4n"), ["bad_encoding"]),
    Case("G9", "UTF-16", GOOD.decode().encode("utf-16"), ["bad_encoding"]),
    Case("G9", "a surrogate in UTF-8", GOOD.replace(b"Indian", b"\xed\xa0\x80"), ["bad_encoding"]),
    Case("G9", "a NUL", GOOD.replace(b"Indian", b"In\0dian"), ["bad_encoding"]),
    Case("G9", "an escaped NUL", GOOD.replace(b"Indian", b"In\\u0000dian"), ["bad_encoding"]),
    Case("G9", "half a surrogate pair", GOOD.replace(b"Indian", b"\\uD83D"), ["bad_encoding"]),
    Case("G9", "the other half", GOOD.replace(b"Indian", b"\\ude00!"), ["bad_encoding"]),
    Case("G9", "a whole surrogate pair", GOOD.replace(b"Indian", b"\\uD83D\\uDE00"), [], (("nationality", "😀"),)),
    Case("G9", "a backslash before u0000", GOOD.replace(b"Indian", b"\\\\u0000"), [], (("nationality", "\\u0000"),)),
    Case("G10", "blanks around", answer(Age=" 24 "), [], (("age", 24),)),
    Case("G10", "a plus", answer(Age="+5"), [], (("age", 5),)),
    Case("G10", "leading zeros in a text", answer(Age="024"), [], (("age", 24),)),
    Case("G10", "a decimal text", answer(Age="24.0"), ["not_a_number:Age"], (("age", None),)),
    Case("G10", "an exponent in a text", answer(Age="1e2"), ["not_a_number:Age"]),
    Case("G10", "full-width digits", answer(Age="２４"), ["not_a_number:Age"]),
    Case("G10", "a no-break space", answer(Age="24\u00a0"), [], (("age", 24),)),
    Case("G10", "an empty text", answer(Age=""), ["blank:Age"]),
    Case("G10", "more than an int", answer(Age="2147483648"), ["out_of_range:Age"], (("age", None),)),
    Case("G10", "NaN in a text", answer(Age="NaN"), ["not_a_number:Age"]),
    Case("G10", "Infinity in a text", answer(Age="Infinity"), ["not_a_number:Age"]),
    Case("G10", "hexadecimal", answer(Age="0x10"), ["not_a_number:Age"]),
    Case("G10", "a control character beside it", answer(Age="24\x1c"), ["not_a_number:Age"]),
    Case("G10", "a number with a zero fraction", age_as_written("24.0"), [], (("age", 24),)),
    Case("G10", "a number with a fraction", age_as_written("24.5"), ["not_a_number:Age"]),
    Case("G10", "a number with an exponent", age_as_written("1e2"), ["wrong_type:Age"], (("age", None),)),
    Case("G10", "a number too long to be kept", answer().replace(b'"FPS001"', b"1" * 39), ["wrong_type:Participant_ID"]),
    Case("G10", "a number as an id", answer().replace(b'"FPS001"', b"12"), [], (("participant_id", "12"),)),
    Case("G11", "age -1", answer(Age="-1"), ["out_of_range:Age"], (("age", -1),)),
    Case("G11", "age 0", answer(Age="0"), ["out_of_range:Age"], (("age", 0),)),
    Case("G11", "age 300", answer(Participant_ID="FPS184", Age="300"), ["out_of_range:Age"], (("age", 300),)),
    Case("G11", "the limits themselves", answer(Age="110"), []),
    Case("G12", "the same participant again", answer(Age="25"), []),
    Case("G13", "a trailing blank", answer(Nationality="Indian "), [], (("nationality", "Indian"),)),
    Case("G13", "a declared spelling", answer(Nationality="MY"), [], (("nationality", "Malaysian"),)),
    Case("G13", "a declared misspelling", answer(Nationality="Indonesain"), [], (("nationality", "Indonesian"),)),
    Case("G13", "an undeclared spelling", answer(Nationality="INDIAN"), [], (("nationality", "INDIAN"),)),
    Case("G13", "a case that is not allowed", answer(Gender="female"), ["not_allowed:Gender"], (("gender", "female"),)),
    Case("G13", "blanks inside", answer(Food="Western \t Food"), [], (("food", "Western Food"),)),
    Case("G14", "a number as a number", age_as_written("24"), [], (("age", 24),)),
    Case("G14", "a number as a text", answer(Age="24"), [], (("age", 24),)),
    Case("G15", "a field of 1 MB", answer(Nationality="x" * 1_000_000), ["too_large"]),
    Case("G15", "10,000 fields", answer(**{f"f{n}": n for n in range(10_000)}), ["too_large"]),
    Case("G15", "as many as fit", answer(**{f"f{n}": n for n in range(4_000)}), []),
    Case("G15", "1,200 lists deep", answer().replace(b'"Maybe"', b"[" * 1200 + b"]" * 1200), ["too_large"]),
    Case("G15", "199 lists deep", answer().replace(b'"Maybe"', b"[" * 199 + b"]" * 199), ["wrong_type:Dessert"]),
    Case("G15", "200 lists deep", answer().replace(b'"Maybe"', b"[" * 200 + b"]" * 200), ["too_large"]),
    Case("G15", "brackets in a text", answer(Nationality="[" * 1200), []),
    *(Case("G16", text[:12], answer(Nationality=text), [], (("nationality", text),)) for text in (
        '=HYPERLINK("http://x","y")', "+1", "-1", "@x", "<script>alert(1)</script>", "$(rm -rf /)", "../../x", "{{7*7}}",
        "\u202egnp.exe", "\x1b[31mred",
    )),
    Case("G16", "a line break in front", answer(Nationality="\r\n=1+1"), [], (("nationality", "=1+1"),)),
]  # fmt: skip

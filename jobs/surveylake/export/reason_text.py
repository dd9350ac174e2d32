"""The reasons in `failed_rules`, in words. Text only: it holds no value of any record."""

from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.export.formatting import in_sentence, joined
from surveylake.wording import MOST_NAMES, some

ALONE = {
    "tombstone": "no value at all (a Kafka tombstone)",
    "schema_registry": "written through a schema registry, not as plain JSON",
    "avro_file": "an Avro file, not JSON",
    "compressed": "packed as a whole (gzip, zstd, LZ4, xz, snappy or zip), not JSON",
    "empty_payload": "an empty value",
    "bad_encoding": "not UTF-8 text",
    "too_large": "longer than the configuration allows",
    "malformed": "not readable as JSON",
    "not_an_object": "JSON, but not an object",
    "encoded_twice": "JSON inside a JSON text: encoded twice",
    "trailing_data": "something after the JSON object",
    "duplicate_key": "one key twice",
    "unknown_field": "a field the contract does not know",
}
"""reason -> fault of a record as a whole"""
OF_FIELD = {
    "missing_field": "{} is missing",
    "wrong_case": "{} is there only in another case, such as upper case",
    "wrong_type": "{} holds a list, an object or another kind of value",
    "blank": "{} is blank",
    "not_a_number": "{} is not a number",
    "not_a_date": "{} is not a date",
    "not_a_timestamp": "{} is not a date and a time",
    "not_a_boolean": "{} is neither true nor false",
    "too_precise": "{} has more digits than the contract keeps",
    "out_of_range": "{} is out of range",
    "not_allowed": "{} is not one of the allowed answers",
    "pattern": "{} does not have the form asked for",
}
"""reason -> fault of one field"""


def in_words(reason: str, contract: Contract) -> str:
    """Return `out_of_range:Age` as `Age is out of range (allowed: 5 to 110)`; a contract's own rule by its name."""
    if reason in ALONE:
        return ALONE[reason]
    kind, _, source = reason.partition(":")
    if source and kind in OF_FIELD:
        field = next((field for field in contract.fields.values() if field.source == source), None)
        return OF_FIELD[kind].format(in_sentence(source)) + (_limits(kind, field) if field else "")
    return f"the survey's rule '{in_sentence(reason, 60)}' does not hold"


def remedy(reason: str, contract: Contract) -> str:
    """Return what to do where good records are rejected for this reason."""
    then = "then run jobs/replay.py, which judges the stored records again."
    kind, _, source = reason.partition(":")
    name = next((name for name, field in contract.fields.items() if field.source == source), None)
    if name and kind in ("missing_field", "wrong_case"):
        return f"If the field has another name there, correct fields.{name}.source in the contract, {then}"
    if name:
        return f"If the answers are right, correct fields.{name} in the contract, {then}"
    if reason == "unknown_field":
        return f'If those fields may come, name them or set unknown_fields = "ignore" in the contract, {then}'
    if reason in contract.rules:
        return f"If the answers are right, correct rules.{reason} in the contract, {then}"
    return "Whoever fills the topic does not send JSON objects: jobs/quarantine.py shows what came."


def _limits(kind: str, field: SurveyField) -> str:
    if kind == "out_of_range" and (field.min is not None or field.max is not None):
        low = "" if field.min is None else f"{field.min:,} "
        high = "and more" if field.max is None else f"to {field.max:,}" if low else f"up to {field.max:,}"
        return f" (allowed: {low}{high})"
    if kind in ("not_a_date", "not_a_timestamp") and field.format:
        return f" (written as {field.format})"
    if kind == "not_allowed":
        allowed = [in_sentence(value) for value in field.allowed]
        return f" (allowed: {joined(allowed, 'or') if len(allowed) <= MOST_NAMES else some(allowed)})"
    return ""

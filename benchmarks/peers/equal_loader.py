"""The hand-written Python loader, made to keep what surveylake keeps: raw bytes, coordinates, strict JSON, cleaning, derived
columns, a verdict with its reasons, and a transaction number in each commit, by which a restart writes nothing twice.

One regular expression takes the values as a writer writes them; any other value is parsed by Python. It knows this one survey
and two layouts.
"""

import json
from collections.abc import Sequence

import polars as pl
from confluent_kafka import Message
from deltalake import CommitProperties, Transaction, write_deltalake
from loader import TEXTS, frames
from worker import serve

from surveylake.contract.model import load_contract
from surveylake.paths import CONF

SURVEY = load_contract(CONF / "surveys" / "food_preference.toml")
COLUMNS = dict(zip(TEXTS, SURVEY.fields, strict=True))
"""Name in the record -> column."""
TEXT = r'"([^"\\\x00-\x1f]*)"'
STRICT = r"^\{" + ", ?".join(rf'"{name}": ?{TEXT}' for name in TEXTS) + r"\}$"
ARRIVED = {
    "topic": pl.String, "partition": pl.Int32, "offset": pl.Int64, "timestamp": pl.Int64, "key": pl.Binary, "value": pl.Binary,
}  # fmt: skip
BLANKS = r"[\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+"
LEAST, MOST = SURVEY.fields["age"].min, SURVEY.fields["age"].max
BANDS = (
    (5, 12, "05-12"),
    (13, 19, "13-19"),
    (20, 29, "20-29"),
    (30, 39, "30-39"),
    (40, 49, "40-49"),
    (50, 59, "50-59"),
)


def take(bootstrap: str, topic: str, out: str) -> None:
    """The topic into the Delta table OUT/table."""
    for number, rows in enumerate(frames(bootstrap, topic, lambda messages: judged(arrived(messages)))):
        once = CommitProperties(app_transactions=[Transaction("equal_loader", number)])
        write_deltalake(f"{out}/table", rows, mode="append", commit_properties=once)


def arrived(messages: Sequence[Message]) -> pl.DataFrame:
    """The messages with their coordinates."""
    return pl.DataFrame(
        {
            "topic": [message.topic() for message in messages],
            "partition": [message.partition() for message in messages],
            "offset": [message.offset() for message in messages],
            "timestamp": [message.timestamp()[1] for message in messages],
            "key": [message.key() for message in messages],
            "value": [message.value() for message in messages],
        },
        schema=ARRIVED,
    ).with_columns(
        pl.from_epoch("timestamp", time_unit="ms").dt.replace_time_zone("UTC").cast(pl.Datetime("us", "UTC")),
        pl.lit(1, pl.Int32).alias("epoch"),
        pl.col("key").cast(pl.String, strict=False),
    )


def judged(rows: pl.DataFrame) -> pl.DataFrame:
    """The same with the fields, the derived columns, and the verdict."""
    rows = rows.with_columns(_texts(rows["value"]))
    groups = pl.col("text").str.extract_groups(STRICT).struct.rename_fields(list(TEXTS))
    rows = rows.with_columns(groups.alias("said"), pl.lit(None, pl.String).alias("broken")).unnest("said")
    if rows[TEXTS[0]].null_count():
        rows = pl.concat(
            [rows.filter(pl.col(TEXTS[0]).is_not_null()), parsed(rows.filter(pl.col(TEXTS[0]).is_null()))]
        )
    rows = rows.with_columns(_clean(pl.col(name)).alias(name) for name in TEXTS)
    spelled = {word: name for name, words in SURVEY.fields["nationality"].spellings.items() for word in words}
    rows = rows.with_columns(
        pl.col("Nationality").replace(spelled),
        pl.col("Age").cast(pl.Int32, strict=False).alias("age"),
    ).rename({name: column for name, column in COLUMNS.items() if name != "Age"})
    age = pl.col("age")
    band = pl.when(age.is_between(60, MOST)).then(pl.lit("60+"))
    for low, high, name in BANDS:
        band = band.when(age.is_between(low, high)).then(pl.lit(name))
    rows = rows.with_columns(band.alias("age_group"), (pl.col("gender") == "Female").alias("is_woman"))
    reasons = pl.concat_list(_reasons()).list.drop_nulls()
    rows = rows.with_columns(
        pl.when(pl.col("broken").is_not_null())
        .then(pl.concat_list("broken"))
        .otherwise(reasons)
        .alias("failed_rules")
    ).with_columns((pl.col("failed_rules").list.len() == 0).alias("accepted"))
    return rows.drop("text", "Age", "broken")


def _texts(values: pl.Series) -> pl.Series:
    """The values as texts, NULL where one is not UTF-8."""
    try:
        return values.cast(pl.String).alias("text")
    except pl.exceptions.ComputeError:
        return pl.Series("text", [_decoded(value) for value in values.to_list()], pl.String)


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _clean(text: pl.Expr) -> pl.Expr:
    untidy = text.str.contains(r"  |[^\x20-\x7e]")
    tidy = pl.when(untidy).then(text.str.replace_all(BLANKS, " ")).otherwise(text)
    trimmed = tidy.str.strip_chars(" ")
    return pl.when(trimmed == "").then(None).otherwise(trimmed)


def _reasons() -> list[pl.Expr]:
    found = []
    for name, column in COLUMNS.items():
        field, value = SURVEY.fields[column], pl.col(column)
        if name == "Age":
            whole = pl.col("Age").str.contains(r"^[+-]?[0-9]+$")
            found.append(_when(pl.col("Age").is_null(), "blank:Age"))
            found.append(_when(value.is_null() & ~whole, "not_a_number:Age"))
            found.append(
                _when((value.is_null() & whole) | ~value.is_between(LEAST, MOST), "out_of_range:Age")
            )
            continue
        found.append(_when(value.is_null(), f"blank:{name}"))
        if field.allowed:
            found.append(_when(value.is_not_null() & ~value.is_in(field.allowed), f"not_allowed:{name}"))
    return found


def _when(condition: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(reason))


def parsed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that the expression did not take, read by Python's parser."""
    answers = [_answer(value) for value in rows["value"].to_list()]
    columns = [pl.Series(name, [answer.get(name) for answer in answers], pl.String) for name in TEXTS]
    return rows.with_columns(
        *columns, pl.Series("broken", [answer.get("~broken") for answer in answers], pl.String)
    )


def _answer(value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {"~broken": "tombstone"}
    try:
        pairs = json.loads(value.decode(), object_pairs_hook=list, parse_constant=_refuse)
    except UnicodeDecodeError:
        return {"~broken": "bad_encoding"}
    except ValueError:
        return {"~broken": "malformed"}
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        return {"~broken": "not_an_object"}
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        return {"~broken": "duplicate_key"}
    if missing := [name for name in TEXTS if name not in names]:
        return {"~broken": f"missing_field:{missing[0]}"}
    return {name: None if held is None else str(held) for name, held in pairs if name in TEXTS}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


if __name__ == "__main__":
    serve(take=take)

"""Values in, the engine's verdicts out: one Spark batch for any number of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from support.reference_verdict import Row, Value, Verdict
from surveylake.contract.field_types import BLANKED
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract, load_contract
from surveylake.paths import CONF
from surveylake.validate.layout import Layout
from surveylake.validate.pipeline import validated

FOOD = load_contract(CONF / "surveys" / "food_preference.toml")
SECOND = load_contract(Path(__file__).parent / "surveys" / "second.toml")
TYPED = load_contract(Path(__file__).parent / "surveys" / "typed.toml")
CODED = load_contract(Path(__file__).parent / "surveys" / "coded.toml")
MAX_BYTES = 65_536
SECOND_RULES = {
    "paid_only_when_repaired": lambda row: not row["paid"] or bool(row["repaired"]),
    "not_before_opening": lambda row: row["visited_on"] and row["visited_on"].year >= 2020,
}
"""The second contract's rules, said again in Python for the reference verdict."""

ANSWER = {
    "Participant_ID": "FPS001", "Gender": "Female", "Nationality": "Indian", "Age": "24",
    "Food": "Traditional food", "Juice": "Fresh Juice", "Dessert": "Maybe",
}  # fmt: skip
VISIT = {
    "visit no.": "V-1", "Date of visit": "2024-02-29", "paid (EUR)": "12.50", "Was it repaired?": "true",
    "thing": "bike",
}  # fmt: skip
CODES = {
    "id": "P1", "sex": "2", "score": "7", "smokes": "yes", "price": "3.50", "why?": "taste", "town": "Vienna",
}  # fmt: skip
TYPES = {
    "id": "P1", "Timestamp": "8/27/2014 11:29:31", "sent": "2024-05-04T10:11:12", "born": "07 Jun 99", "height": "172.5",
    "weight": "70.5", "children": "2", "Q4: agree?": "3", "sex": "1", "tools": "py; R", "towns": "Graz, Wien", "news TV": "1",
    "news web": "yes",
}  # fmt: skip
TYPED_RULES = {
    "not_from_the_future": lambda row: (
        row["answered_at"] and row["answered_at"] < datetime(2030, 1, 1, tzinfo=UTC)
    ),
}
"""The typed contract's rule, said again in Python for the reference verdict."""


def asking(**questions: SurveyField) -> Contract:
    """Return a contract of an id and these."""
    fields = {"id": SurveyField(source="id", type="string", required=True), **questions}
    return FOOD.model_copy(update={"key": "id", "fields": fields, "rules": {}, "derived": {}})


def one_question(**asked: object) -> Contract:
    """Return a contract of an id and one question, called Q where nothing else is said."""
    return asking(asked=SurveyField.model_validate({"source": "Q", **asked}))


def kafka_rows(spark: SparkSession, values: Sequence[bytes | None]) -> DataFrame:
    """Rows as the Kafka source gives them; the offset is the value's place in `values`."""
    rows = [(i, None if value is None else bytearray(value)) for i, value in enumerate(values)]
    return spark.createDataFrame(rows, "offset bigint, value binary").select(
        F.lit("t").alias("topic"), F.lit(0).alias("partition"), "offset",
        F.timestamp_seconds("offset").alias("timestamp"), F.lit(1).alias("epoch"), F.lit("k").alias("key"), "value",
    )  # fmt: skip


def verdicts(
    spark: SparkSession,
    values: Sequence[bytes | None],
    contract: Contract = FOOD,
    max_bytes: int = MAX_BYTES,
    layout: Layout | None = None,
    few: bool = False,
) -> list[Verdict]:
    """The engine's verdict on each value, in order; `accepted` and `failed_rules` are seen to say the same."""
    fields = [f"`{name}`" for name in columns_of(contract)]
    rows = validated(kafka_rows(spark, values), contract, max_bytes, layout, few).select(
        "offset", "accepted", "failed_rules", *fields
    )
    found = sorted(rows.collect(), key=lambda row: row["offset"])
    assert [row["offset"] for row in found] == list(range(len(values))), "a record was lost or doubled"
    assert all(row["accepted"] is (row["failed_rules"] == []) for row in found)
    return [Verdict(tuple(row["failed_rules"]), fields_of(row.asDict(), contract)) for row in found]


def columns_of(contract: Contract) -> list[str]:
    """The fields, and the list of answers that were left blank."""
    return [*contract.fields, *([BLANKED] if contract.may_blank else [])]


def fields_of(row: Row, contract: Contract) -> Row:
    return {name: _in_utc(row[name]) for name in columns_of(contract)}


def _in_utc(value: Value) -> Value:
    """An instant with its zone: PySpark gives the time of this machine's zone, without saying so."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def reasons(spark: SparkSession, *values: bytes | None, contract: Contract = FOOD) -> list[list[str]]:
    """Only why: the failed rules of each value, [] for an accepted one."""
    return [list(found.failed_rules) for found in verdicts(spark, values, contract)]

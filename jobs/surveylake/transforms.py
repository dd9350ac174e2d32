"""Kafka rows in, `records` rows out: gate, clean, type, derive, judge. DataFrame to DataFrame, nothing else."""

from functools import partial

from pyspark.sql import DataFrame

from surveylake import cleaning, gate, plain, rules, sql
from surveylake.contract import Contract
from surveylake.contract_types import RECORD_COLUMNS
from surveylake.plain import PLAIN

PARSED = "`~parsed`"


def judged(kafka_rows: DataFrame, contract: Contract, max_bytes: int) -> DataFrame:
    """One `records` row per Kafka record, good or bad, columns in `records` order.

    Takes rows with topic, partition, offset, timestamp, epoch, key (string) and value (binary). Accepted and rejected
    rows add up to the rows given; a value that is not one JSON object has exactly one reason and NULL fields.
    """
    return (
        kafka_rows.transform(partial(plain.with_plain_fields, contract=contract, max_bytes=max_bytes))
        .transform(partial(_with_parsed, contract=contract, max_bytes=max_bytes))
        .transform(partial(_with_columns, contract=contract))
        .transform(partial(_with_verdict, contract=contract))
    )


def _with_parsed(rows: DataFrame, contract: Contract, max_bytes: int) -> DataFrame:
    """+ `~parsed`: what the strict gate says of a value that is not plain, and then its fields' reasons and values."""
    fields = list(contract.fields.items())
    texts = f"array({', '.join(f'trim({cleaning.parsed_text(field)})' for _, field in fields)})"
    values = ", ".join(
        f"{sql.text(name)}, {cleaning.typed(f'texts[{i}]', field)}" for i, (name, field) in enumerate(fields)
    )
    of_fields = [
        rules.field_reason(f"texts[{i}]", f"fields.{sql.name(name)}", "shape", field)
        for i, (name, field) in enumerate(fields)
    ]
    verdict = f"named_struct('reasons', {rules.listed('shape', *of_fields)}, 'fields', fields)"
    judgement = gate.let("texts", texts, gate.let("fields", f"named_struct({values})", verdict))
    judgement = gate.let("shape", rules.listed(*rules.shape_reasons(contract)), judgement)
    return rows.selectExpr("*", f"IF({PLAIN}, NULL, {gate.through(judgement, max_bytes)}) AS {PARSED}")


def _with_columns(rows: DataFrame, contract: Contract) -> DataFrame:
    """The contract's typed columns whichever way they were read, + its derived ones."""
    parsed = {
        name: f"IF({PLAIN}, {sql.name(name)}, {PARSED}.judgement.fields.{sql.name(name)})"
        for name in contract.fields
    }
    others = [sql.name(column) for column in rows.columns if column not in parsed]
    derived = [
        f"CAST({part.sql} AS {part.sql_type}) AS {sql.name(name)}" for name, part in contract.derived.items()
    ]
    chosen = [f"{expression} AS {sql.name(name)}" for name, expression in parsed.items()]
    return rows.selectExpr(*others, *chosen).selectExpr("*", *derived)


def _with_verdict(rows: DataFrame, contract: Contract) -> DataFrame:
    """+ `accepted`, `failed_rules`; the scaffolding columns end here."""
    reasons = f"{PARSED}.judgement.reasons"
    sound = f"({PLAIN} OR ({PARSED}.broken IS NULL AND {reasons} IS NULL))"
    good = " AND ".join([sound, *(rules.passes(rule) for rule in contract.rules.values())])
    own = [rules.contract_rule(name, predicate) for name, predicate in contract.rules.items()]
    why = f"coalesce({PARSED}.broken, {rules.listed(reasons, *own)})"
    given = {
        "accepted": "`~good` AS accepted",
        "failed_rules": f"IF(`~good`, CAST(array() AS array<string>), split({why}, {sql.text(rules.SEPARATOR)})) AS failed_rules",
    }
    ordered = [given.get(column, sql.name(column)) for column in RECORD_COLUMNS]
    return rows.selectExpr("*", f"{good} AS `~good`").selectExpr(
        *ordered, *(sql.name(column) for column in contract.columns)
    )

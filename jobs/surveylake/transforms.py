"""Kafka rows in, `records` rows out: gate, clean, type, derive, judge. DataFrame to DataFrame, nothing else."""

from functools import partial

from pyspark.sql import DataFrame

from surveylake import cleaning, gate, rules, sql
from surveylake.contract import Contract
from surveylake.contract_types import RECORD_COLUMNS


def judged(kafka_rows: DataFrame, contract: Contract, max_bytes: int) -> DataFrame:
    """One `records` row per Kafka record, good or bad, columns in `records` order.

    Takes rows with topic, partition, offset, timestamp, epoch, key (string) and value (binary). Accepted and rejected
    rows add up to the rows given; a value that is not one JSON object has exactly one reason and NULL fields.
    """
    return (
        kafka_rows.transform(partial(gate.with_parts, contract=contract, max_bytes=max_bytes))
        .transform(partial(_with_texts, contract=contract, max_bytes=max_bytes))
        .transform(partial(_with_columns, contract=contract))
        .transform(partial(_with_verdict, contract=contract))
    )


def _with_texts(documents: DataFrame, contract: Contract, max_bytes: int) -> DataFrame:
    """+ `~broken`, `~shape` (reasons that stand alone; reasons of a readable value's shape) and per field `~c…`, trimmed text."""
    fields = list(contract.fields.values())
    shape = f"nullif(concat_ws({sql.text(rules.SEPARATOR)}, {', '.join(rules.shape_reasons(contract))}), '')"
    texts = f"array({', '.join(cleaning.parsed_text(field) for field in fields)})"
    rare = f"IF({gate.CANONICAL}, NULL, {gate.parsed(shape, texts, max_bytes)})"
    cleaned = [
        f"trim(IF({gate.CANONICAL}, {gate.part(i)}, `~rare`.texts[{i}])) AS `~c{i}`"
        for i in range(len(fields))
    ]
    return documents.selectExpr("*", f"{rare} AS `~rare`").selectExpr(
        "*", "`~rare`.broken AS `~broken`", "`~rare`.shape AS `~shape`", *cleaned
    )


def _with_columns(texts: DataFrame, contract: Contract) -> DataFrame:
    """+ the contract's typed columns, then its derived ones."""
    values = [f"{expression} AS {sql.name(name)}" for name, expression in cleaning.columns(contract).items()]
    derived = [
        f"CAST({part.sql} AS {part.sql_type}) AS {sql.name(name)}" for name, part in contract.derived.items()
    ]
    return texts.selectExpr("*", *values).selectExpr("*", *derived)


def _with_verdict(columns: DataFrame, contract: Contract) -> DataFrame:
    """+ `accepted`, `failed_rules`; the scaffolding columns end here."""
    fields = [(i, name, field) for i, (name, field) in enumerate(contract.fields.items())]
    good = [rules.is_acceptable(*field) for field in fields] + [
        rules.passes(rule) for rule in contract.rules.values()
    ]
    reasons = [rules.field_reason(*field) for field in fields]
    reasons += [rules.contract_rule(name, predicate) for name, predicate in contract.rules.items()]
    separator = sql.text(rules.SEPARATOR)
    every = f"concat_ws({separator}, `~shape`, {', '.join(reasons)})"
    why = gate.let("why", f"coalesce(`~broken`, {every})", f"split(why, {separator})")
    given = {
        "accepted": "`~good` AS accepted",
        "failed_rules": f"IF(`~good`, CAST(array() AS array<string>), {why}) AS failed_rules",
    }
    ordered = [given.get(column, sql.name(column)) for column in RECORD_COLUMNS]
    ready = f"`~broken` IS NULL AND `~shape` IS NULL AND {' AND '.join(good)} AS `~good`"
    return columns.selectExpr("*", ready).selectExpr(
        *ordered, *(sql.name(column) for column in contract.columns)
    )

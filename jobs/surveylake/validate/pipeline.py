"""Kafka rows to `records` rows: parse, clean, type, derive, validate. DataFrame to DataFrame."""

from functools import partial

from pyspark.sql import DataFrame

from surveylake import sql
from surveylake.contract.field_types import BLANKED, RECORD_COLUMNS
from surveylake.contract.fields import SurveyField
from surveylake.contract.model import Contract
from surveylake.validate import cleaning, fast_path, rules, strict_json
from surveylake.validate.derived import expression as derive
from surveylake.validate.fast_path import PLAIN
from surveylake.validate.layout import Layout

MOST_GENERATED = 11_500
"""Characters of SQL. Up to this size, parsing is generated into the same Java method as the fast path, and no row is copied.
Beyond it the method would come near Java's 64 KB, or be too long for its compiler: then Spark interprets the parsing, between
two generated stages."""

WHY_BLANKED = "~blanked"
"""The reasons against answers that are left blank, as one text; NULL where there are none."""


def validated(
    kafka_rows: DataFrame,
    contract: Contract,
    max_bytes: int,
    layout: Layout | None = None,
    few: bool = False,
) -> DataFrame:
    """Return the `records` rows of Kafka rows. Grain: one row per Kafka record, accepted or not, columns in `records` order.

    `kafka_rows` has topic, partition, offset, timestamp, epoch, key (string) and value (binary). Accepted and rejected
    rows add up to the rows received. A value that is not one JSON object has exactly one reason and NULL fields.
    `layout` is how most values are laid out: it makes them cheaper, and changes no verdict.
    `few` is for some millions of rows and a process that ends after them: less is generated, and a row costs more. What Java
    would take to compile the rest is more than such rows win by it.
    """
    rows, plain_values = fast_path.with_plain_fields(kafka_rows, contract, max_bytes, layout)
    return (
        rows.transform(partial(_with_parsed, contract=contract, max_bytes=max_bytes, few=few))
        .transform(partial(_with_columns, contract=contract, plain_values=plain_values))
        .transform(partial(_with_verdict, contract=contract))
    )


def _with_parsed(rows: DataFrame, contract: Contract, max_bytes: int, few: bool) -> DataFrame:
    """Add `~broken`, `~reasons` and `~fields`: the result of parsing a value that is not plain."""
    steps = strict_json.steps(max_bytes) | _steps(contract)
    if not few and sum(map(len, steps.values())) <= MOST_GENERATED:
        for name, step in steps.items():
            rows = rows.selectExpr("*", f"IF({PLAIN}, NULL, {step}) AS {sql.name(name)}")
        return rows
    results = ["~broken", "~reasons", "~fields", *([WHY_BLANKED] if contract.may_blank else [])]
    parsed = f"named_struct({', '.join(f'{sql.text(name)}, {sql.name(name)}' for name in results)})"
    for name, step in reversed(steps.items()):
        parsed = sql.let(sql.name(name), step, parsed)
    rows = rows.selectExpr("*", f"IF({PLAIN}, NULL, {parsed}) AS `~parsed`")
    return rows.selectExpr("*", *(f"`~parsed`.{sql.name(name)} AS {sql.name(name)}" for name in results))


def _steps(contract: Contract) -> dict[str, str]:
    """Return name -> SQL, for the steps after those of strict_json.

    `~untidy`, `~wrong` (booleans), `~texts`, `~answers` (texts without words for a missing answer), `~shape`, `~fields`
    (struct of typed values) and `~reasons`. Each is NULL where the value is broken; `~reasons` also where nothing is wrong.
    """
    fields = list(contract.fields.items())
    texts = [f"trim({cleaning.parsed_text(field, f'`~wrong`[{i}]')})" for i, (_, field) in enumerate(fields)]
    answers = [cleaning.without_missing(f"`~texts`[{i}]", field) for i, (_, field) in enumerate(fields)]
    values = [
        f"{sql.text(name)}, {cleaning.typed(f'`~answers`[{i}]', field)}"
        for i, (name, field) in enumerate(fields)
    ]
    reasons: dict[str, list[str]] = {"reject": [], "blank": []}
    for i, (name, field) in enumerate(fields):
        reason = rules.field_reason(
            f"`~answers`[{i}]", f"`~fields`.{sql.name(name)}", field, f"`~wrong`[{i}]"
        )
        reasons[field.when_wrong].append(reason)
    steps = {
        "~untidy": strict_json.untidy(),
        "~wrong": f"array({', '.join(cleaning.is_wrong_type(field) for _, field in fields)})",
        "~texts": f"array({', '.join(texts)})",
        "~answers": f"array({', '.join(answers)})",
        "~shape": rules.listed(*rules.shape_reasons(contract)),
        "~fields": f"named_struct({', '.join(values)})",
        "~reasons": rules.listed("`~shape`", *reasons["reject"]),
    }
    if contract.may_blank:
        steps[WHY_BLANKED] = rules.listed(*reasons["blank"])
    if not any(field.missing for _, field in fields):
        # Where nothing is to be left out, the array is not copied.
        del steps["~answers"]
        steps = {name: step.replace("`~answers`", "`~texts`") for name, step in steps.items()}
    return {name: f"IF(`~broken` IS NULL, {step}, NULL)" for name, step in steps.items()}


def _with_columns(rows: DataFrame, contract: Contract, plain_values: dict[str, str]) -> DataFrame:
    """Take the contract's typed columns from the fast path or from parsing, and add the derived ones."""
    parsed = {
        name: f"IF({PLAIN}, {plain_values[name]}, {_kept(f'`~fields`.{sql.name(name)}', field)})"
        for name, field in contract.fields.items()
    }
    others = [sql.name(column) for column in rows.columns if column not in parsed]
    derived = [f"{derive(part, contract)} AS {sql.name(name)}" for name, part in contract.derived.items()]
    if contract.may_blank:
        reasons = f"split(`{WHY_BLANKED}`, {sql.text(rules.SEPARATOR)})"
        derived.append(f"IF({PLAIN}, NULL, {reasons}) AS {sql.name(BLANKED)}")
    chosen = [f"{expression} AS {sql.name(name)}" for name, expression in parsed.items()]
    return rows.selectExpr(*others, *chosen).selectExpr("*", *derived)


def _kept(value: str, field: SurveyField) -> str:
    """Return SQL: the typed value; NULL for an unacceptable one that costs itself only."""
    limits = [condition for condition, _ in rules.limits(value, field)] if field.when_wrong == "blank" else []
    return f"IF({' AND '.join(limits)}, {value}, NULL)" if limits else value


def _with_verdict(rows: DataFrame, contract: Contract) -> DataFrame:
    """Add `accepted` and `failed_rules`, and drop the scaffolding columns."""
    sound = f"({PLAIN} OR (`~broken` IS NULL AND `~reasons` IS NULL))"
    passed = [rules.passes(rule) for rule in contract.rules.values()]
    own = [rules.contract_rule(name, predicate) for name, predicate in contract.rules.items()]
    why = f"coalesce(`~broken`, {rules.listed('`~reasons`', *own) if own else '`~reasons`'})"
    good = sound
    if passed:
        # Without rules there is no column to compute once, and rows of many columns are not copied for it.
        rows, good = rows.selectExpr("*", f"{' AND '.join([sound, *passed])} AS `~good`"), "`~good`"
    given = {
        "accepted": f"{good} AS accepted",
        "failed_rules": f"IF({good}, CAST(array() AS array<string>), split({why}, {sql.text(rules.SEPARATOR)})) AS failed_rules",
    }
    ordered = [given.get(column, sql.name(column)) for column in RECORD_COLUMNS]
    return rows.selectExpr(*ordered, *(sql.name(column) for column in contract.columns))

"""A check that Spark can run the contract's SQL, before anything is read or written."""

from collections.abc import Iterator

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import SparkSession

from surveylake import sql
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.validate.derived import expression
from surveylake.wording import first_line


def check_sql(spark: SparkSession, contract: Contract) -> None:
    """Raise ConfigError for the first rule or derived column that Spark cannot run, or that is not deterministic."""
    columns = ", ".join(f"{sql.name(name)} {field.sql_type}" for name, field in contract.fields.items())
    empty = spark.createDataFrame([], columns)
    for key, value in _expressions(contract):
        try:
            checked = empty.selectExpr(f"({value}) AS checked")
        except (AnalysisException, ParseException) as error:
            raise ConfigError(
                f"{key}: not SQL that Spark understands: {first_line(error)}",
                f"Correct {key} in the contract.",
            ) from error
        if key.startswith("rules.") and (kind := checked.schema[0].dataType.simpleString()) != "boolean":
            raise ConfigError(
                f"{key}: a rule is true or false, and this is a value of type {kind}",
                f"Correct {key} in the contract.",
            )
        if not checked._jdf.queryExecution().analyzed().deterministic():
            raise ConfigError(
                f"{key}: gives another answer each time it is asked",
                "Rules and derived columns may only use the fields.",
            )
        if key.startswith("derived."):
            empty = empty.selectExpr("*", f"({value}) AS {sql.name(key.split('.')[1])}")


def _expressions(contract: Contract) -> Iterator[tuple[str, str]]:
    for name, part in contract.derived.items():
        yield f"derived.{name}", expression(part, contract)
    for name, predicate in contract.rules.items():
        yield f"rules.{name}", predicate

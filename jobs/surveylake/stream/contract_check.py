"""Whether a stream may go on under its contract, and the note in the table that it does."""

import logging

from pyspark.sql import SparkSession

from surveylake.contract.model import Contract
from surveylake.lake import judging, records_table, tables
from surveylake.lake.tables import RECORDS, Lake

log = logging.getLogger(__name__)
VERB = "stream.py"


def require_contract(spark: SparkSession, lake: Lake, contract: Contract) -> dict[str, str]:
    """Check that a stream may go on under this contract. Returns the table's properties.

    Other rules, limits and spellings hold for the records from now on. Raises ConfigError for the contract from before a replay,
    for other columns, and for a change that the contract before forbids.
    """
    properties = tables.properties(spark, lake.table(RECORDS))
    judging.refuse_a_former(properties, contract)
    records_table.check_columns(spark, lake, contract)
    judging.require_thawed(properties, contract)
    return properties


def note_contract(spark: SparkSession, lake: Lake, contract: Contract) -> dict[str, str]:
    """Write into the table's properties that this contract judges from now on, where they do not say so.

    Returns the properties as they were. Raises ConfigError as `require_contract` does.
    """
    path, properties = lake.table(RECORDS), require_contract(spark, lake, contract)
    version = tables.version(spark, path) + 1
    missing = judging.missing_properties(properties, contract, version, VERB)
    if not missing:
        return properties
    tables.set_properties(spark, path, missing)
    entries = judging.history(properties)
    if entries and len(missing) > 1:
        log.info(
            "records from now on are judged under %s; those before under %s, until jobs/replay.py judges them again",
            judging.named(contract.name, contract.fingerprint),
            entries[-1].named,
        )
    return properties

"""What jobs/aggregate.py makes, by DuckDB from the same Delta files: one row per person as Parquet, and every group's numbers."""

import os
from typing import Any

import duckdb
from deltalake import DeltaTable
from worker import serve

RESPONSES = """CREATE TABLE responses AS SELECT newest.* FROM (
    SELECT arg_max({participant_id: participant_id, gender: gender, nationality: nationality, age: age, food: food, juice: juice,
                    dessert: dessert, age_group: age_group, is_woman: is_woman, epoch: epoch, partition: "partition",
                    "offset": "offset", "timestamp": "timestamp"},
                   {epoch: epoch, "offset": "offset", partition: "partition"}) AS newest
    FROM read_parquet($files) WHERE accepted GROUP BY participant_id)"""
GROUPS = """SELECT gender, age_group, nationality, food, juice, dessert, count(*) AS answers,
                   count(*) / (SELECT count(*) FROM responses) AS share, avg(age) AS age_mean, median(age) AS age_median,
                   stddev_samp(age) AS age_sd, min(age) AS age_min, max(age) AS age_max
            FROM responses GROUP BY GROUPING SETS
                ((gender), (age_group), (nationality), (food), (juice), (dessert),
                 (gender, food), (gender, juice), (gender, dessert))"""
VERDICTS = "SELECT failed_rules, count(*) FROM read_parquet($files) GROUP BY failed_rules"
RECEIVED = (
    """SELECT gender, count(age), count(*) FILTER (accepted) FROM read_parquet($files) GROUP BY gender"""
)
OFFSETS = """SELECT topic, epoch, "partition", min("offset"), max("offset"), count(*) FROM read_parquet($files)
             GROUP BY ALL"""

SPELLINGS = "SELECT DISTINCT nationality FROM responses ORDER BY ALL"
POINTS = 'SELECT age, gender FROM responses WHERE age IS NOT NULL ORDER BY hash(epoch, "partition", "offset") LIMIT 5000'


def groups(records: str, out: str) -> dict[str, Any]:
    """All of it; and the groups by gender, to be compared."""
    os.makedirs(out)
    with duckdb.connect() as db:
        files = {"files": DeltaTable(records).file_uris()}
        db.execute(RESPONSES, files)
        db.execute(f"COPY responses TO '{out}/responses.parquet' (FORMAT parquet)")
        found = db.execute(GROUPS).fetchall()
        for question in (VERDICTS, RECEIVED, OFFSETS):
            db.execute(question, files).fetchall()
        for question in (SPELLINGS, POINTS):
            db.execute(question).fetchall()
    gender = [
        [row[0], row[6], row[11], row[12]]
        for row in found
        if row[0] is not None and all(value is None for value in row[1:6])
    ]
    return {"gender": gender}


if __name__ == "__main__":
    serve(groups=groups)

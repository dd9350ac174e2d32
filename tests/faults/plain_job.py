"""The plain query as a job for spark-submit: the folder of its table and checkpoint (a URI), broker, topic, records per micro-batch.

Exit code 1 when it ends with an error, whose first line is the last that it prints.
"""

import sys
from pathlib import Path

from pyspark.sql import SparkSession

from faults.plain_query import PlainQuery

folder, bootstrap, topic, limit = sys.argv[1:]
query = PlainQuery(SparkSession.builder.appName("the plain query").getOrCreate(), Path(), bootstrap, topic)
query.table, query.checkpoint = f"{folder}/table", f"{folder}/checkpoint"  # type: ignore[assignment]
error = query.take(maxOffsetsPerTrigger=limit)
print(f"ended: {error or 'without an error'}", flush=True)
sys.exit(bool(error))

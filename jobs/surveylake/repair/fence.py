"""The fencing token in a repair: at a URI there is no lock, and a stream that still runs must not commit to what is mended."""

from collections.abc import Iterator
from contextlib import contextmanager

from surveylake.lake import commits, tables, writer_token
from surveylake.lake.tables import RECORDS, Lake
from surveylake.paths import is_local
from surveylake.repair.plan import Plan
from surveylake.runtime.session import OpenSession

VERB = "repair.py"


@contextmanager
def fence(open_spark: OpenSession, root: str, plan: Plan) -> Iterator[None]:
    """Take the token of `records` around the moves of a plan, where the lake is at a URI and the table stays.

    Before them when the log is whole. Where versions are moved aside, afterwards, and in so many commits that the log is longer
    than it ever was: a stream that has read the longer log then meets the token at whatever version it tries.
    Raises LakeLockedError when another writer was faster.
    """
    is_fenced = not is_local(root) and plan.version >= 0
    path = Lake(root).table(RECORDS)
    if is_fenced and plan.dropped < 0:
        writer_token.take(open_spark(), path, VERB)
    yield
    if is_fenced and plan.dropped >= 0:
        spark = open_spark()
        commits.log_of(spark, path).clearCache()
        while tables.version(spark, path) <= plan.dropped:
            writer_token.take(spark, path, VERB)

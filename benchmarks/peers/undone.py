"""surveylake with one thing changed, which levers.py names; `` (no lever) is surveylake as it is."""

from contextlib import nullcontext

import ours
from contender import serve
from levers import LEVERS

from surveylake.session import open_session


def take(bootstrap: str, survey: str, out: str, lever: str, most: int) -> None:
    """The topic into OUT/records, in micro-batches of at most `most` records; 0 leaves that to surveylake."""
    spark = open_session("surveylake stream")
    with LEVERS[lever].applied(spark) if lever else nullcontext():
        if most:
            ours.take_in_batches(bootstrap, survey, out, most)
        else:
            ours.take(bootstrap, survey, out)


if __name__ == "__main__":
    serve(take=take)

"""surveylake with one thing changed, which levers.py names; `` (no lever) is surveylake as it is."""

import ours
from ablation import LEVERS, Lever
from worker import serve

from surveylake.runtime.session import open_session


def take(bootstrap: str, survey: str, out: str, lever: str, most: int) -> None:
    """The topic into OUT/records, in micro-batches of at most `most` records; 0 leaves that to surveylake.

    One process is for one lever: its settings stay.
    """
    change = LEVERS[lever] if lever else Lever("", "as it is")
    with change.patched():
        change.set_in(open_session("surveylake stream"))
        if most:
            ours.take_in_batches(bootstrap, survey, out, most)
        else:
            ours.take(bootstrap, survey, out)


if __name__ == "__main__":
    serve(take=take)

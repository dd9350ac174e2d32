"""surveylake with one thing changed, which ablation.py names; `` (no ablation) is surveylake as it is."""

import ours
from ablation import ABLATIONS, Ablation
from worker import serve

from surveylake.runtime.session import open_session


def take(bootstrap: str, survey: str, out: str, ablation: str, most: int) -> None:
    """The topic into OUT/records, in micro-batches of at most `most` records; 0 leaves that to surveylake.

    One process is for one ablation: its settings stay.
    """
    change = ABLATIONS[ablation] if ablation else Ablation("", "as it is")
    with change.patched():
        change.set_in(open_session("surveylake stream"))
        if most:
            ours.take_in_batches(bootstrap, survey, out, most)
        else:
            ours.take(bootstrap, survey, out)


if __name__ == "__main__":
    serve(take=take)

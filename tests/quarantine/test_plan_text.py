"""A plan is read on a terminal: counts with both sides, samples by coordinates, numbers old and new, and no list without end."""

from dataclasses import replace

from surveylake.contract.differences import Difference
from surveylake.quarantine.comparison import Change
from surveylake.quarantine.plan import Plan
from surveylake.quarantine.plan_text import MOST_LINES, lines
from surveylake.quarantine.published_changes import NumberChange, Published

PLAN = Plan(
    before="pets aaa, since version 0 (stream.py, 2026)",
    after="pets bbb",
    version=7,
    differences=[Difference("widened", "field age", "max 30 -> 40", "age")],
    records=1_000,
    accepted=(900, 912),
    changes=[Change(("out_of_range:Age",), (), (), 12, (("t", 1, 0, 5), ("t", 1, 2, 0)))],
    filled={"colour": 990},
    published=Published(
        6,
        (800, 810),
        ("summary_pet",),
        (
            NumberChange(
                "summary_pet", ("cat",), {"answers": "7", "age_mean": ""}, {"answers": "9", "age_mean": "3"}
            ),
            NumberChange("summary_pet", ("bird",), None, {"answers": "5"}),
            NumberChange("summary_town", ("Ulm",), {"answers": "5"}, None),
        ),
    ),
    refusals=[],
)


def test_every_part_of_a_plan_has_its_lines() -> None:
    assert list(lines(PLAN)) == [
        "contract of the lake: pets aaa, since version 0 (stream.py, 2026)",
        "contract given:       pets bbb",
        "what differs:",
        "  widened   field age: max 30 -> 40",
        "1,000 records of version 7: accepted 900 -> 912, rejected 100 -> 88",
        "        12  out_of_range:Age -> accepted",
        "            such as t epoch 1 partition 0 offset 5, t epoch 1 partition 2 offset 0",
        "       990  with a value in the new column colour",
        "published numbers, of the records up to version 6",
        "  people 800 -> 810",
        "  summary_pet",
        "    cat: answers 7 -> 9, age_mean none -> 3",
        "    bird: new, answers 5",
        "  summary_town, no longer published",
        "    Ulm: gone, was answers 5",
    ]


def test_nothing_published_and_nothing_kept_are_said_and_refusals_come_last() -> None:
    said = list(
        lines(replace(PLAN, before="", differences=[], published=Published(), refusals=["no. Do that."]))
    )
    assert said[0] == "contract of the lake: not kept by the release that made it; only columns are compared"
    assert "what differs: nothing" in said
    assert said[-2:] == ["published numbers: none yet (jobs/aggregate.py)", "replay refuses: no. Do that."]


def test_of_very_many_lines_the_first_are_shown_and_the_rest_counted() -> None:
    many = tuple(
        NumberChange("summary_pet", (str(n),), None, {"answers": "5"}) for n in range(MOST_LINES + 3)
    )
    said = list(lines(replace(PLAN, published=replace(PLAN.published, changes=many))))
    assert said[-1] == "    and 3 lines more (--json has them)"
    assert sum(": new, " in line for line in said) == MOST_LINES


def test_a_plan_as_json_has_the_samples_and_not_the_files() -> None:
    assert '"samples"' in PLAN.as_json() and '"files"' not in PLAN.as_json()

"""From records to people to published groups: each number against an independent computation in pandas or by hand."""

import random
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from judging import FOOD, SECOND
from surveylake import aggregates, groups
from surveylake.aggregates import latest, points, received, unmapped, verdicts
from surveylake.disclosure import Group, small_groups
from surveylake.groups import cells, counts, groupings, named

RECORDS = (
    "epoch int, partition int, offset bigint, timestamp timestamp, accepted boolean, failed_rules array<string>,"
    "participant_id string, gender string, nationality string, age int, food string, juice string, dessert string,"
    "age_group string, is_woman boolean"
)
MORNING = datetime(2024, 5, 1, 9)


def record(person: str, offset: int, **given: object) -> dict[str, object]:
    """One accepted record of a woman of 30; `given` says what is different."""
    base: dict[str, object] = {
        "epoch": 1, "partition": 0, "offset": offset, "timestamp": MORNING, "accepted": True, "failed_rules": [],
        "participant_id": person, "gender": "Female", "nationality": "Indian", "age": 30, "food": "Western Food",
        "juice": "Fresh Juice", "dessert": "Yes", "age_group": "30-39", "is_woman": True,
    }  # fmt: skip
    return base | given


def records(spark: SparkSession, rows: Iterable[dict[str, object]]) -> DataFrame:
    return spark.createDataFrame(list(rows), RECORDS)


@pytest.fixture(scope="module")
def people() -> list[dict[str, object]]:
    """400 people with everything drawn, ages missing now and then."""
    rng = random.Random(7)
    rows = []
    for number in range(400):
        age = rng.choice([None, *range(8, 80)])
        rows.append(
            record(
                f"P{number}", number, age=age, gender=rng.choice(["Female", "Male"]),
                nationality=rng.choice(["Indian"] * 9 + ["Yemeni", "Ürgüp", None]), dessert=rng.choice(["Yes", "No", "Maybe"]),
                age_group=None if age is None else f"{age // 10}0",
            )
        )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def crowd(people: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(people).astype({"age": "Int64"})


@pytest.fixture(scope="module")
def crowd_rows(spark: SparkSession, people: list[dict[str, object]]) -> DataFrame:
    return latest(records(spark, people), FOOD).persist()


def test_latest_keeps_the_accepted_record_with_the_highest_offset(spark: SparkSession) -> None:
    rows = [
        record("a", 1, age=20),
        record("a", 3, age=22, timestamp=datetime(2020, 1, 1)),
        record("a", 2, age=21),
        record("a", 9, age=300, accepted=False, failed_rules=["out_of_range:Age"]),
        record("b", 4, age=40),
    ]
    found = latest(records(spark, rows), FOOD).select("participant_id", "age", "offset")
    assertDataFrameEqual(
        found, [Row(participant_id="a", age=22, offset=3), Row(participant_id="b", age=40, offset=4)]
    )


def test_latest_prefers_a_later_epoch_whatever_its_offset(spark: SparkSession) -> None:
    rows = [record("a", 900, age=20), record("a", 0, epoch=2, age=21)]
    assert [row["age"] for row in latest(records(spark, rows), FOOD).collect()] == [21]


def test_latest_breaks_a_tie_of_offsets_by_partition_and_not_by_time(spark: SparkSession) -> None:
    rows = [
        record("a", 5, partition=1, age=21),
        record("a", 5, partition=0, age=20, timestamp=datetime(2030, 1, 1)),
    ]
    for order in (rows, rows[::-1]):
        assert [row["age"] for row in latest(records(spark, order), FOOD).collect()] == [21]


def test_latest_has_the_contract_columns_then_where_they_come_from(spark: SparkSession) -> None:
    found = latest(records(spark, [record("a", 1)]), FOOD)
    assert found.columns == [*FOOD.columns, "epoch", "partition", "offset", "timestamp"]


def test_latest_of_nothing_accepted_is_empty(spark: SparkSession) -> None:
    assert latest(records(spark, [record("a", 1, accepted=False)]), FOOD).count() == 0


def summary(
    people: DataFrame, by: list[str], hidden: set[Group], total: int, measure: str | None
) -> list[dict[str, object]]:
    """One published table of these people, under its columns' names, by the groups' names."""
    found = groups.summaries(cells(people, FOOD), {tuple(by): hidden}, total, measure).collect()
    rows = [row.asDict() for row in sorted(found, key=lambda row: row[1:3])]
    names = dict(zip(groups.PLACES[1:], by, strict=False))
    assert all(row.pop(groups.PLACES[0]) == 0 for row in rows)
    return [
        {names.get(k, k): v for k, v in row.items() if k in names or not k.startswith("~")} for row in rows
    ]


def test_counts_of_many_lists_are_pandas_counts(crowd: pd.DataFrame, crowd_rows: DataFrame) -> None:
    lists = groupings(FOOD)
    found = counts(cells(crowd_rows, FOOD), lists)
    assert set(found) == set(lists)
    assert found[()] == {(): 400}
    for by in [("gender",), ("nationality",), ("gender", "dessert"), ("age_group",)]:
        expected = crowd.fillna(dict.fromkeys(by, "(none)")).groupby(list(by)).size()
        assert named(found[by]) == {k if isinstance(k, tuple) else (k,): n for k, n in expected.items()}
    assert found[("nationality",)][(None,)] > 0, "an unknown nationality is a group that can be seen"
    assert found[(groups.PLOTTED,)] == {
        ("true",): crowd["age"].count(),
        ("false",): crowd["age"].isna().sum(),
    }


def test_who_answered_none_is_counted_with_those_who_did_not() -> None:
    assert named({(None,): 2, ("(none)",): 3, ("a",): 1}) == {("(none)",): 5, ("a",): 1}


def test_nobody_is_counted_as_nothing(spark: SparkSession) -> None:
    nobody = latest(records(spark, [record("a", 1, accepted=False)]), FOOD)
    found = counts(cells(nobody, FOOD), groupings(FOOD))
    assert set(found) == set(groupings(FOOD))
    assert not any(found.values())


def test_groupings_are_all_that_is_published_tested_or_mapped_each_once() -> None:
    lists = groupings(FOOD)
    assert len(lists) == len(set(lists))
    assert {("gender",), ("gender", "food"), ("nationality",), (), (groups.PLOTTED,)} <= set(lists)
    bare = FOOD.summaries.model_copy(update={"by": [], "measure": None, "received_by": None})
    assert groupings(FOOD.model_copy(update={"summaries": bare, "charts": None, "hypothesis": None})) == [()]


@pytest.mark.parametrize("by", [["gender"], ["gender", "dessert"]])
def test_statistics_are_pandas_statistics(crowd: pd.DataFrame, crowd_rows: DataFrame, by: list[str]) -> None:
    found = pd.DataFrame(summary(crowd_rows, by, set(), 400, "age")).set_index(by)
    grouped = crowd.groupby(by)
    ages = grouped["age"]
    assert found["answers"].to_dict() == grouped.size().to_dict()
    assert np.allclose(found["share"], grouped.size() / 400)
    expected = {
        "mean": ages.mean(),
        "median": ages.median(),
        "sd": ages.std(),
        "min": ages.min(),
        "max": ages.max(),
    }
    for name, values in expected.items():
        assert np.allclose(found[f"age_{name}"].astype(float), values.astype(float), rtol=1e-9), name


def test_the_median_of_two_is_between_them_and_the_deviation_of_one_unknown(spark: SparkSession) -> None:
    rows = [record("a", 1, age=20), record("b", 2, age=25), record("c", 3, gender="Male", age=40)]
    women, men = summary(latest(records(spark, rows), FOOD), ["gender"], set(), 3, "age")
    assert (women["age_median"], women["age_mean"]) == (22.5, 22.5)
    assert (men["age_sd"], men["age_median"]) == (None, 40.0)


def test_a_group_without_ages_has_no_statistics(spark: SparkSession) -> None:
    people = latest(records(spark, [record("a", 1, age=None), record("b", 2, age=None)]), FOOD)
    (row,) = summary(people, ["gender"], set(), 2, "age")
    assert row["answers"] == 2
    assert [row[f"age_{name}"] for name in groups.MEASURES] == [None] * 5


def test_equal_ages_deviate_by_nothing(spark: SparkSession) -> None:
    people = latest(records(spark, [record(str(n), n, age=33) for n in range(7)]), FOOD)
    assert summary(people, ["gender"], set(), 7, "age")[0]["age_sd"] == 0.0


def test_merged_groups_are_one_row_and_no_person_is_lost(crowd: pd.DataFrame, crowd_rows: DataFrame) -> None:
    hidden: set[Group] = {("Ürgüp",), ("Yemeni",)}
    rows = summary(crowd_rows, ["nationality"], hidden, 400, "age")
    merged = crowd[crowd["nationality"].isin(["Ürgüp", "Yemeni"])]
    assert [row["nationality"] for row in rows] == ["(none)", "Indian", "Other (2 groups)"]
    assert rows[-1]["answers"] == len(merged)
    assert rows[-1]["age_mean"] == pytest.approx(float(merged["age"].mean()))
    assert sum(row["answers"] for row in rows) == 400
    assert sum(row["share"] for row in rows) == pytest.approx(1)


def test_merged_cells_of_two_columns_are_one_row(crowd_rows: DataFrame) -> None:
    hidden: set[Group] = {("Female", "No"), ("Male", "No")}
    rows = summary(crowd_rows, ["gender", "dessert"], hidden, 400, None)
    assert rows[-1]["gender"] == rows[-1]["dessert"] == "Other (2 groups)"
    assert len(rows) == 5
    assert rows[-1].keys() == {"gender", "dessert", "answers", "share"}


def test_no_group_is_merged_when_all_are_large() -> None:
    assert small_groups({("a",): 5, ("b",): 6}, 5) == set()
    assert small_groups({}, 5) == set()


def test_one_small_group_takes_the_next_smallest_with_it() -> None:
    assert small_groups({("a",): 1, ("b",): 9, ("c",): 40}, 5) == {("a",), ("b",)}


def test_merged_groups_have_enough_people_together() -> None:
    assert small_groups({("a",): 1, ("b",): 2, ("c",): 40, ("d",): 8}, 5) == {("a",), ("b",), ("d",)}


def test_a_small_cell_in_a_cross_table_takes_a_rectangle_with_it() -> None:
    found = {("F", "x"): 2, ("F", "y"): 50, ("F", "z"): 60, ("M", "x"): 70, ("M", "y"): 40, ("M", "z"): 30}
    hidden = small_groups(found, 5)
    assert ("F", "x") in hidden
    assert not worked_out(found, hidden, 5)
    assert hidden == {("F", "x"), ("F", "y"), ("M", "x"), ("M", "y")}


def test_two_merged_cells_in_each_line_are_not_enough_when_totals_tell_them() -> None:
    """B has only its one cell: merging it with A's would hide nothing, for B's total is known."""
    found = {("A", "x"): 3, ("A", "y"): 20, ("B", "x"): 10, ("C", "x"): 30, ("C", "y"): 30}
    hidden = small_groups(found, 5)
    assert not worked_out(found, hidden, 5)
    assert hidden == {("A", "x"), ("A", "y"), ("C", "x"), ("C", "y")}


def test_where_no_merging_helps_the_table_is_one_row() -> None:
    found = {("A", "x"): 3, ("B", "x"): 20, ("C", "x"): 30}
    assert small_groups({**found, ("C", "y"): 9}, 5) == {*found, ("C", "y")}


def worked_out(found: dict[Group, int], hidden: set[Group], smallest: int) -> set[Group]:
    """The small cells that the totals of rows and columns determine, by linear algebra.

    A merged cell is determined when no change of the merged cells that keeps every total moves it: when its row of
    the null space of the totals' matrix is zero.
    """
    held = sorted(hidden)
    lines = sorted({(axis, cell[axis]) for cell in held for axis in (0, 1)})
    totals = np.array([[float(cell[axis] == value) for cell in held] for axis, value in lines])
    if not held:
        return set()
    _, sizes, directions = np.linalg.svd(totals)
    free = directions[int((sizes > 1e-9).sum()) :]
    return {
        cell
        for i, cell in enumerate(held)
        if found[cell] < smallest and not np.any(np.abs(free[:, i]) > 1e-9)
    }


cross_tables = st.dictionaries(
    st.tuples(st.sampled_from("ABCDE"), st.sampled_from("vwxyz")), st.integers(1, 25), min_size=1
)


@settings(max_examples=400, database=None, deadline=None)
@given(cross_tables)
def test_no_small_cell_can_be_worked_out_from_the_totals(found: dict[Group, int]) -> None:
    hidden = small_groups(found, 5)
    assert hidden >= {group for group, people in found.items() if people < 5}
    if len(hidden) < len(found):
        assert not worked_out(found, hidden, 5)


@settings(max_examples=300, database=None, deadline=None)
@given(cross_tables)
def test_merged_cells_of_a_line_are_many_or_all_of_it(found: dict[Group, int]) -> None:
    hidden = small_groups(found, 5)
    for axis in (0, 1):
        for value in {group[axis] for group in hidden}:
            line = {group for group in found if group[axis] == value}
            assert line <= hidden or sum(found[group] for group in line & hidden) >= 5


@settings(max_examples=200, database=None, deadline=None)
@given(st.dictionaries(st.tuples(st.text(max_size=3)), st.integers(1, 25)), st.integers(1, 30))
def test_what_is_merged_of_one_column_is_never_alone_or_few(found: dict[Group, int], smallest: int) -> None:
    hidden = small_groups(found, smallest)
    assert hidden >= {group for group, people in found.items() if people < smallest}
    if 0 < len(hidden) < len(found):
        assert len(hidden) > 1
        assert sum(found[group] for group in hidden) >= smallest


def test_thousands_of_groups_take_seconds() -> None:
    rng = random.Random(1)
    found = {(str(n // 50), str(n % 50)): rng.randint(1, 30) for n in range(2_500)}
    hidden = small_groups(found, 5)
    assert 0 < len(hidden) < len(found)


def test_received_counts_records_with_a_readable_measure_and_the_accepted(spark: SparkSession) -> None:
    rows = [
        record("a", 1),
        record("a", 2, age=300, accepted=False),
        record("b", 3, age=None, accepted=False),
        record("c", 4, gender="Male"),
        record("d", 5, gender=None, age=None, accepted=False),
    ]
    found = received(records(spark, rows), FOOD, "gender", 1)
    assertDataFrameEqual(
        found,
        [
            Row(gender="Female", received=2, accepted=1, groups=1),
            Row(gender="Male", received=1, accepted=1, groups=1),
        ],
    )


def test_small_groups_as_received_are_one_row_without_a_name(spark: SparkSession) -> None:
    rows = [record(str(n), n) for n in range(3)]
    rows += [record("x", 3, gender=None, accepted=False), record("y", 4, gender="femal", accepted=False)]
    found = received(records(spark, rows), FOOD, "gender", 2)
    assertDataFrameEqual(
        found,
        [
            Row(gender="Female", received=3, accepted=3, groups=1),
            Row(gender=None, received=2, accepted=0, groups=2),
        ],
    )


def test_received_without_a_group_is_called_none(spark: SparkSession) -> None:
    found = received(records(spark, [record("a", 1, gender=None, accepted=False)]), FOOD, "gender", 1)
    assert found.collect() == [Row(gender="(none)", received=1, accepted=0, groups=1)]


def test_verdicts_say_what_each_partition_holds(spark: SparkSession) -> None:
    bad = {"accepted": False, "failed_rules": ["out_of_range:Age"]}
    rows = [record("a", 3), record("b", 9), record("c", 5, **bad), record("d", 1, partition=1)]
    found = verdicts(records(spark, rows).withColumn("topic", F.lit("t")))
    names = ["topic", "epoch", "partition", "failed_rules", "first", "last", "records"]
    expected = [("t", 1, 0, [], 3, 9, 2), ("t", 1, 0, bad["failed_rules"], 5, 5, 1), ("t", 1, 1, [], 1, 1, 1)]
    assertDataFrameEqual(found, [Row(**dict(zip(names, row, strict=True))) for row in expected])


def test_unmapped_lists_each_unknown_spelling_once(spark: SparkSession) -> None:
    given = ["Indian", "Klingon", "Klingon", "klingon", None]
    people = records(spark, [record(str(n), n, nationality=name) for n, name in enumerate(given)])
    assert unmapped(people, "nationality", FOOD.fields["nationality"].spellings) == ["Klingon", "klingon"]


def test_points_are_all_responses_with_both_in_offset_order(spark: SparkSession) -> None:
    people = records(
        spark, [record("b", 2, age=40, gender="Male"), record("a", 1, age=20), record("c", 3, age=None)]
    )
    assert points(people, "age", "gender", most=10) == ((20.0, "Female"), (40.0, "Male"))


def test_a_sample_of_points_is_the_same_each_time_and_of_the_size_asked_for(crowd_rows: DataFrame) -> None:
    first = points(crowd_rows, "age", "gender", most=50)
    assert len(first) == 50
    assert first == points(crowd_rows.repartition(3), "age", "gender", most=50)
    assert first != points(crowd_rows, "age", "gender", most=50, seed=21)


def test_plain_rows_turn_decimals_into_floats_and_keep_the_rest() -> None:
    rows = [Row(thing="x", n=1, paid=Decimal("1.50"), unknown=None)]
    assert aggregates.plain_rows(rows) == ({"thing": "x", "n": 1, "paid": 1.5, "unknown": None},)


def test_the_second_survey_counts_its_own_columns(spark: SparkSession) -> None:
    rows = [
        ("V-1", Decimal("10.00"), True, "Bicycle", "2024-05"),
        ("V-2", Decimal("0.50"), True, "Bicycle", "2024-05"),
        ("V-3", None, False, "Toaster", "2024-06"),
    ]
    people = spark.createDataFrame(
        rows, "visit string, paid decimal(10,2), repaired boolean, thing string, month string"
    )
    found = cells(people, SECOND)
    assert counts(found, [("thing", "repaired")]) == {
        ("thing", "repaired"): {("Bicycle", "true"): 2, ("Toaster", "false"): 1}
    }
    rows = groups.summaries(found, {("thing",): set()}, 3, "paid").collect()
    bicycle, toaster = sorted(rows, key=lambda row: row[1])
    assert bicycle["paid_mean"] == pytest.approx(5.25)
    assert bicycle["paid_sd"] == pytest.approx(np.std([10, 0.5], ddof=1))
    assert (bicycle["paid_min"], bicycle["paid_max"]) == (Decimal("0.50"), Decimal("10.00"))
    assert (toaster["answers"], toaster["paid_mean"]) == (1, None)

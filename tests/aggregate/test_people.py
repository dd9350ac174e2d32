"""From records to people to published groups: each number against an independent computation in pandas or by hand."""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from support.validation import FOOD, SECOND
from surveylake.aggregate import groups, summary_lines
from surveylake.aggregate.disclosure import Mask, answered, mask
from surveylake.aggregate.findings import ReceivedLine, Summary
from surveylake.aggregate.groups import By, as_text, cells, counts, groupings
from surveylake.aggregate.people import latest, points, received, spellings, verdicts
from surveylake.aggregate.spellings import unknown_spellings
from surveylake.contract.model import Contract

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
    people = latest(records(spark, rows), FOOD).select("participant_id", "age", "offset")
    assertDataFrameEqual(
        people, [Row(participant_id="a", age=22, offset=3), Row(participant_id="b", age=40, offset=4)]
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
    people = latest(records(spark, [record("a", 1)]), FOOD)
    assert people.columns == [*FOOD.columns, "epoch", "partition", "offset", "timestamp"]


def test_latest_of_nothing_accepted_is_empty(spark: SparkSession) -> None:
    assert latest(records(spark, [record("a", 1, accepted=False)]), FOOD).count() == 0


def tables(
    people: DataFrame, lists: list[By], smallest: int = 1, contract: Contract = FOOD
) -> dict[By, Summary]:
    """The published tables of these people over these lists."""
    cell_rows = cells(people, contract)
    counted = counts(cell_rows, groupings(contract), lists)
    everyone = {by: answered(counted.people[by]) for by in groups.published(contract)}
    masks: Mapping[By, Mask] = {by: mask(everyone[by], smallest) for by in everyone}
    measure = contract.summaries.measure or ""
    rows = groups.statistics(cell_rows, masks, lists, measure).collect()
    read = summary_lines.measures(rows, lists, measure, counted, masks)
    return {by: summary_lines.summary(contract, by, everyone[by], masks[by], read[by]) for by in lists}


def by_group(table: Summary) -> dict[tuple[str, ...], dict[str, object]]:
    return {line.groups: {"people": line.people, **line.measures} for line in table.lines}


def test_counts_of_many_lists_are_pandas_counts(crowd: pd.DataFrame, crowd_rows: DataFrame) -> None:
    lists = groupings(FOOD)
    counted = counts(cells(crowd_rows, FOOD), lists)
    by_list = counted.people
    assert sum(counted.measured[("gender",)].values()) == crowd["age"].count()
    assert set(by_list) == set(lists)
    assert by_list[()] == {(): 400}
    for by in [("gender",), ("nationality",), ("gender", "dessert"), ("age_group",)]:
        expected = crowd.groupby(list(by)).size()
        everyone = answered(by_list[by])
        assert everyone.groups == {k if isinstance(k, tuple) else (k,): n for k, n in expected.items()}
        assert everyone.blank == 400 - expected.sum()
    assert answered(by_list[("nationality",)]).blank > 0


def test_counts_without_those_who_answered_a_list_are_pandas_counts(
    crowd: pd.DataFrame, crowd_rows: DataFrame
) -> None:
    lists: list[By] = [("nationality",), ("age_group",), ("gender", "dessert")]
    others: list[By] = [("age_group",), ("nationality", "age_group"), ("gender",)]
    cell_rows = cells(crowd_rows, FOOD)
    counted = counts(cell_rows, lists, others)
    assert list(counted.without) == others
    assert not any(counted.without[("gender",)].people.values()), "nobody left it blank"
    assert counted.people == (plain := counts(cell_rows, lists)).people
    assert counted.measured == plain.measured
    for left, without in counted.without.items():
        outside = crowd[crowd[list(left)].isna().any(axis=1)]
        for by in lists:
            sizes = outside.groupby(list(by), dropna=False)["age"].agg(["size", "count"])
            keys = [k if isinstance(k, tuple) else (k,) for k in sizes.index]
            groups_of = [tuple(None if pd.isna(value) else value for value in key) for key in keys]
            assert without.people[by] == dict(zip(groups_of, sizes["size"], strict=True))
            assert without.measured[by] == dict(zip(groups_of, sizes["count"], strict=True))


def test_nobody_is_counted_as_nothing(spark: SparkSession) -> None:
    nobody = latest(records(spark, [record("a", 1, accepted=False)]), FOOD)
    by_list = counts(cells(nobody, FOOD), groupings(FOOD)).people
    assert set(by_list) == set(groupings(FOOD))
    assert not any(by_list.values())
    assert tables(nobody, [("gender",)])[("gender",)] == Summary(
        ("gender",), 0, 0, (), pool="Other (fewer than 1 each)"
    )


def test_groupings_are_all_that_is_published_tested_or_mapped_each_once() -> None:
    lists = groupings(FOOD)
    assert len(lists) == len(set(lists))
    assert {("gender",), ("gender", "food"), ("nationality",), ()} <= set(lists)
    bare = FOOD.summaries.model_copy(update={"by": [], "measure": None, "received_by": None})
    assert groupings(FOOD.model_copy(update={"summaries": bare, "charts": None, "hypothesis": None})) == [()]


@pytest.mark.parametrize("by", [("gender",), ("gender", "dessert")])
def test_statistics_are_pandas_statistics(crowd: pd.DataFrame, crowd_rows: DataFrame, by: By) -> None:
    table = tables(crowd_rows, [by])[by]
    statistics = pd.DataFrame([{**dict(zip(by, g, strict=True)), **v} for g, v in by_group(table).items()])
    statistics = statistics.set_index(list(by)).sort_index()
    grouped = crowd.groupby(list(by))
    ages = grouped["age"]
    assert statistics["people"].to_dict() == grouped.size().to_dict()
    expected = {
        "mean": ages.mean(),
        "median": ages.median(),
        "sd": ages.std(),
        "min": ages.min(),
        "max": ages.max(),
        "n": ages.count(),
    }
    for name, values in expected.items():
        assert np.allclose(statistics[name].astype(float), values.astype(float), rtol=1e-9), name


def test_the_median_of_two_is_between_them_and_the_deviation_of_one_unknown(spark: SparkSession) -> None:
    rows = [record("a", 1, age=20), record("b", 2, age=25), record("c", 3, gender="Male", age=40)]
    lines = by_group(tables(latest(records(spark, rows), FOOD), [("gender",)])[("gender",)])
    women, men = lines[("Female",)], lines[("Male",)]
    assert (women["median"], women["mean"]) == (22.5, 22.5)
    assert (men["sd"], men["median"]) == (None, 40.0)


def test_a_group_without_ages_has_no_statistics(spark: SparkSession) -> None:
    people = latest(records(spark, [record("a", 1, age=None), record("b", 2, age=None)]), FOOD)
    (line,) = tables(people, [("gender",)])[("gender",)].lines
    assert (line.people, line.measures) == (2, {})


def test_fewer_ages_than_the_smallest_group_say_nothing_of_a_large_one(spark: SparkSession) -> None:
    rows = [record(str(n), n, age=30 if n < 4 else None) for n in range(9)]
    (line,) = tables(latest(records(spark, rows), FOOD), [("gender",)], smallest=5)[("gender",)].lines
    assert (line.people, line.measures) == (9, {})


def test_equal_ages_deviate_by_nothing(spark: SparkSession) -> None:
    people = latest(records(spark, [record(str(n), n, age=33) for n in range(7)]), FOOD)
    assert tables(people, [("gender",)])[("gender",)].lines[0].measures["sd"] == 0.0


def test_rare_answers_are_one_line_without_statistics_and_no_person_is_lost(
    crowd: pd.DataFrame, crowd_rows: DataFrame
) -> None:
    rare = int(crowd["nationality"].isin(["Ürgüp", "Yemeni"]).sum())
    table = tables(crowd_rows, [("nationality",)], smallest=rare)[("nationality",)]
    indian, other = table.lines
    assert (indian.groups, other.groups) == (("Indian",), (f"Other (fewer than {rare} each)",))
    assert (other.people, other.measures, other.kind) == (rare, {}, "pooled")
    assert table.base == int(crowd["nationality"].notna().sum())
    assert table.blank == 400 - table.base
    assert sum(line.people or 0 for line in table.lines) == table.base


def few_strangers(spark: SparkSession) -> DataFrame:
    """60 women and 50 men of all ages, and three others, of 91, 92 and 93 years (field row A4)."""
    rows = [record(f"w{n}", n, age=20 + n % 40) for n in range(60)]
    rows += [
        record(
            f"m{n}", 100 + n, gender="Male", age=25 + n % 40, food=("Western Food", "Traditional food")[n % 2]
        )
        for n in range(50)
    ]
    rows += [record(f"x{n}", 200 + n, gender="Other", age=91 + n) for n in range(3)]
    return latest(records(spark, rows), FOOD)


def test_nothing_but_their_number_is_said_of_people_in_a_small_group(spark: SparkSession) -> None:
    published = tables(few_strangers(spark), [("gender",), ("food",), ("gender", "food")], smallest=5)
    gender = by_group(published[("gender",)])
    assert list(gender) == [("Female",), ("Male",), ("Other (fewer than 5 each)",)]
    assert (gender[("Female",)]["people"], gender[("Male",)]["people"]) == (60, 50)
    assert gender[("Other (fewer than 5 each)",)] == {"people": None}
    for measures in (gender[("Male",)], gender[("Female",)]):
        assert measures["median"] is not None
        assert (
            measures["mean"] is measures["sd"] is measures["min"] is measures["max"] is measures["n"] is None
        ), "theirs would follow"
    for measures in by_group(published[("food",)]).values():
        assert measures["mean"] is not None, "this table hides nobody"
        assert (measures["max"], measures["min"] is None) == (None, False), "the largest age is one of theirs"


def test_a_table_of_two_columns_says_no_means_where_it_holds_somebody_back(spark: SparkSession) -> None:
    table = tables(few_strangers(spark), [("gender", "food")], smallest=5)[("gender", "food")]
    (line, held) = table.lines
    assert (line.groups, line.people, line.measures["mean"]) == (("Female", "Western Food"), 60, None)
    assert (held.kind, held.people, held.measures) == ("held", 53, {})
    assert table.totals == ({"Female": 60, "Male": 50}, {"Western Food": 88, "Traditional food": 25})


def test_points_tell_who_is_protected_anywhere(spark: SparkSession) -> None:
    people = few_strangers(spark)
    counted = counts(cells(people, FOOD), groupings(FOOD))
    masks = {by: mask(answered(counted.people[by]), 5) for by in groups.published(FOOD)}
    drawn = points(as_text(people, FOOD), "gender", groups.protected(masks), most=1000)
    assert {point.measure for point in drawn if point.protected} == {91.0, 92.0, 93.0}
    assert len(drawn) == 113


def test_few_who_answered_one_of_two_columns_are_protected(spark: SparkSession) -> None:
    """Of the women two left the food blank, of the men six; four people left both blank."""
    rows = [record(f"a{n}", n, age=30, gender=("Female", "Male")[n % 2]) for n in range(40)]
    rows += [record(f"b{n}", 50 + n, age=80, food=None) for n in range(2)]
    rows += [record(f"c{n}", 60 + n, age=70, gender="Male", food=None) for n in range(6)]
    rows += [record(f"d{n}", 70 + n, age=60, gender=None, food=None) for n in range(4)]
    people = latest(records(spark, rows), FOOD)
    counted = counts(cells(people, FOOD), [by := ("gender", "food")])
    protected = groups.protected({by: mask(answered(counted.people[by]), 5)})
    ages = as_text(people, FOOD).select(groups.MEASURE, protected.alias("protected")).collect()
    assert {row[groups.MEASURE] for row in ages if row["protected"]} == {80}
    assert {row["protected"] for row in ages} == {True, False}, "never unknown"


def received_of(
    spark: SparkSession, rows: list[dict[str, object]], smallest: int
) -> tuple[ReceivedLine, ...]:
    frame = records(spark, rows)
    people = answered(counts(cells(latest(frame, FOOD), FOOD), [("gender",)]).people[("gender",)])
    counted = received(frame, FOOD, "gender", smallest).collect()
    return summary_lines.received_lines(FOOD, "gender", counted, people, smallest)


def test_received_is_every_record_before_any_rule(spark: SparkSession) -> None:
    """Field row A5: a record without an age was received all the same."""
    rows = [
        record("a", 1),
        record("a", 2, age=300, accepted=False),
        record("b", 3, age=None, accepted=False),
        record("c", 4, gender="Male"),
        record("d", 5, gender=None, age=None, accepted=False),
    ]
    lines = received_of(spark, rows, 1)
    assert lines == (
        ReceivedLine("Female", "named", 3, 1, 1),
        ReceivedLine("Male", "named", 1, 1, 1),
        ReceivedLine(None, "named", 1, 0, 0),
    )
    assert sum(line.received or 0 for line in lines) == len(rows)


def test_small_groups_as_received_are_one_line_without_a_name(spark: SparkSession) -> None:
    rows = [record(str(n), n) for n in range(6)]
    rows += [record("x", 6, gender=None, accepted=False), record("y", 7, gender="femal", accepted=False)]
    rows += [record("z", 8 + n, gender="Other") for n in range(5)]  # one person, who sent it five times
    rows += [record(f"q{n}", 20 + n, gender="female", accepted=False) for n in range(5)]
    rows += [record("one", 30 + n, gender="a name", accepted=False) for n in range(6)]  # one sender again
    assert received_of(spark, rows, 5) == (
        ReceivedLine("Female", "named", 6, 6, 6),
        ReceivedLine("female", "named", 5, 0, 0),
        ReceivedLine(None, "named", 1, 0, 0),
        ReceivedLine("Other (fewer than 5 each)", "pooled", 12, 5, None),
    )


def test_verdicts_say_what_each_partition_holds(spark: SparkSession) -> None:
    bad = {"accepted": False, "failed_rules": ["out_of_range:Age"]}
    rows = [record("a", 3), record("b", 9), record("c", 5, **bad), record("d", 1, partition=1)]
    by_verdict = verdicts(records(spark, rows).withColumn("topic", F.lit("t")))
    names = ["topic", "epoch", "partition", "failed_rules", "first", "last", "records"]
    expected = [("t", 1, 0, [], 3, 9, 2), ("t", 1, 0, bad["failed_rules"], 5, 5, 1), ("t", 1, 1, [], 1, 1, 1)]
    assertDataFrameEqual(by_verdict, [Row(**dict(zip(names, row, strict=True))) for row in expected])


def test_spellings_are_counted_the_most_frequent_first(spark: SparkSession) -> None:
    given = ["Indian", "Klingon", "Klingon", "klingon", None]
    people = records(spark, [record(str(n), n, nationality=name) for n, name in enumerate(given)])
    assert spellings(people, "nationality") == {("Klingon",): 2, ("Indian",): 1, ("klingon",): 1}


def test_a_spelling_is_unknown_where_a_closed_list_was_meant() -> None:
    counted = {("Indian",): 50, ("Yemeni",): 9, ("Klingon",): 7, ("klingon",): 1, (None,): 4}
    assert unknown_spellings(FOOD, "nationality", counted, 5) == {"Klingon": 7, "klingon": 1}


def test_one_alias_for_one_value_makes_no_closed_list() -> None:
    """Field row A11."""
    field = FOOD.fields["nationality"].model_copy(update={"spellings": {"Indian": ["IN"]}})
    contract = FOOD.model_copy(update={"fields": {**FOOD.fields, "nationality": field}})
    counted = {("Indian",): 50, ("Yemeni",): 9, ("Chinese",): 7, ("klingon",): 1}
    assert unknown_spellings(contract, "nationality", counted, 5) == {}


def test_what_any_line_of_the_contract_names_is_no_unknown_spelling() -> None:
    gender = FOOD.fields["gender"].model_copy(
        update={"allowed": [], "spellings": {"Female": ["F"], "Other": []}}
    )
    contract = FOOD.model_copy(update={"fields": {**FOOD.fields, "gender": gender}})
    assert unknown_spellings(
        contract, "gender", {("Female",): 9, ("Other",): 9, ("Male",): 9, ("x",): 1}, 5
    ) == {"x": 1}


def drawn(people: DataFrame, most: int, seed: int = 20) -> tuple[tuple[float, str], ...]:
    drawn = points(as_text(people, FOOD), "gender", F.lit(False), most, seed)
    return tuple((point.measure, point.group) for point in drawn)


def test_points_are_all_responses_with_both(spark: SparkSession) -> None:
    people = records(
        spark, [record("b", 2, age=40, gender="Male"), record("a", 1, age=20), record("c", 3, age=None)]
    )
    assert drawn(people, most=10) == ((20.0, "Female"), (40.0, "Male"))


def test_the_order_of_points_says_nothing_of_who_answered_first(spark: SparkSession) -> None:
    """A chart's file lists them in this order: by the first dot whoever answered first would be known."""
    ages = [52, 31, 47, 31, 60]
    people = records(spark, [record(f"p{n}", n, age=age) for n, age in enumerate(ages)])
    points_of = drawn(people, most=10)
    assert points_of == tuple((float(age), "Female") for age in sorted(ages))
    assert points_of == drawn(
        records(spark, [record(f"p{n}", n, age=a) for n, a in enumerate(ages[::-1])]), 10
    )
    assert list(sampled := drawn(people, most=3)) == sorted(sampled)


def test_a_sample_of_points_is_the_same_each_time_and_of_the_size_asked_for(crowd_rows: DataFrame) -> None:
    first = drawn(crowd_rows, most=50)
    assert len(first) == 50
    assert first == drawn(crowd_rows.repartition(3), most=50)
    assert first != drawn(crowd_rows, most=50, seed=21)


def test_the_second_survey_counts_its_own_columns(spark: SparkSession) -> None:
    rows = [
        ("V-1", Decimal("10.00"), True, "Bicycle", "2024-05"),
        ("V-2", Decimal("0.50"), True, "Bicycle", "2024-05"),
        ("V-3", None, False, "Toaster", "2024-06"),
    ]
    people = spark.createDataFrame(
        rows, "visit string, paid decimal(10,2), repaired boolean, thing string, month string"
    )
    combinations = cells(people, SECOND)
    assert counts(combinations, [("thing", "repaired")]).people == {
        ("thing", "repaired"): {("Bicycle", "true"): 2, ("Toaster", "false"): 1}
    }
    people = answered(counts(combinations, [("thing",)]).people[("thing",)])
    rows = groups.statistics(combinations, {("thing",): mask(people, 1)}, [("thing",)], "paid").collect()
    bicycle, toaster = sorted(rows, key=lambda row: row[1])
    assert bicycle["paid_mean"] == pytest.approx(5.25)
    assert bicycle["paid_sd"] == pytest.approx(np.std([10, 0.5], ddof=1))
    assert (bicycle["paid_min"], bicycle["paid_max"]) == (Decimal("0.50"), Decimal("10.00"))
    assert (toaster[groups.MEASURED], toaster["paid_mean"]) == (0, None)

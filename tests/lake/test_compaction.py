"""Which small files are taken together: large enough, and as much for each core."""

import random
from pathlib import Path

import pytest

from surveylake.lake.compaction import DataFile, even_size, groups

LEAST, MOST = 64_000_000, 128_000_000


def grouped(sizes: list[int], at_once: int) -> list[int]:
    """The bytes of each group of files of these sizes."""
    files = [DataFile(None, Path(), size, None) for size in sizes]
    return [
        sum(file.size for file in group) for group in groups(files, even_size(sizes, LEAST, MOST, at_once))
    ]


def test_each_core_has_as_much_to_do() -> None:
    sizes = grouped([150_000] * 2_400, at_once=2)
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) < 1_000_000


@pytest.mark.parametrize(("total", "at_once", "count"), [(100_000_000, 2, 1), (0, 2, 0), (300_000_000, 8, 3)])
def test_where_there_is_no_even_size_the_files_are_as_large_as_may_be(
    total: int, at_once: int, count: int
) -> None:
    assert len(grouped([100_000] * (total // 100_000), at_once)) == count


def test_every_group_but_the_last_is_larger_than_the_smaller_size_and_none_than_the_larger() -> None:
    chance = random.Random(7)
    for _ in range(300):
        largest = chance.choice([1_000, 1_000_000, LEAST])
        sizes = [chance.randint(1, largest) for _ in range(chance.randint(1, 1_500))]
        groups_of = grouped(sizes, at_once=chance.randint(1, 8))
        assert all(LEAST < size <= MOST for size in groups_of[:-1])
        assert sum(groups_of) == sum(sizes)
        assert groups_of[-1] <= MOST

"""The options that a verb's Java is started with."""

from surveylake.runtime.launch import YOUNG_GENERATION, Launch


def test_a_frugal_java_has_a_small_part_of_its_heap_for_new_objects() -> None:
    assert YOUNG_GENERATION in Launch(frugal=True)._options()
    assert YOUNG_GENERATION not in Launch()._options()

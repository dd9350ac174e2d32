"""`make quick` starts no JVM."""

import pytest

from support.selection import refuse_java
from surveylake.runtime.ivy import spark_home
from surveylake.runtime.java import find_java


def test_a_quick_run_refuses_java_and_what_launches_it() -> None:
    for program in (find_java(), spark_home() / "bin" / "spark-submit"):
        with pytest.raises(AssertionError, match="mark the test with `integration`"):
            refuse_java("subprocess.Popen", (str(program), [str(program)], None, None))
    refuse_java("subprocess.Popen", ("git", ["git"], None, None))
    refuse_java("open", (str(find_java()), "r", 0))


def test_what_asks_for_spark_or_kafka_is_marked(request: pytest.FixtureRequest) -> None:
    quick = [item for item in request.session.items if not item.get_closest_marker("integration")]
    asked = {name for item in quick for name in getattr(item, "fixturenames", ())}
    assert asked.isdisjoint({"spark", "broker", "env"})

"""A proof names the contract and the versions of each epoch of judging."""

from support.validation import SECOND as OLD
from surveylake.lake.judging import properties_of
from surveylake.verify.checks import SAID
from surveylake.verify.judged import judged

NEW = OLD.model_copy(update={"rules": {"price_is_sound": "true"}})


def test_each_epoch_is_named_with_its_versions_and_its_verb() -> None:
    properties = properties_of(OLD, 3, "stream.py") | properties_of(NEW, 9, "replay.py")
    found = judged(properties, 9, NEW)
    assert [check.where for check in found] == ["versions 0 to 2", "versions 3 to 8", "version 9"]
    assert {check.status for check in found} == {SAID}
    assert found[1].detail.startswith(
        f"what came judged under {OLD.name} {OLD.fingerprint[:12]} by stream.py, 20"
    )
    assert found[2].detail.startswith(
        f"all records judged under {NEW.name} {NEW.fingerprint[:12]} by replay.py, 20"
    )


def test_another_contract_than_the_last_is_said() -> None:
    found = judged(properties_of(OLD, 0, "stream.py"), 4, NEW)
    assert [check.where for check in found] == ["versions 0 to 4", "records"]
    assert f"the contract given is {NEW.name} {NEW.fingerprint[:12]}" in found[1].detail


def test_a_lake_of_an_earlier_release_is_said_to_keep_none() -> None:
    (only,) = judged({}, 4, OLD)
    assert only.detail.startswith("not kept by the release that wrote it; this one is ")

"""Which contract judged which versions, as the table's properties keep it, and which contract may go on."""

import json

import pytest

from support.validation import SECOND as OLD
from surveylake.contract.differences import content_of, differences
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.lake import judging
from surveylake.lake.judging import CONTRACT, JUDGED, missing_properties, properties_of

NEW = OLD.model_copy(update={"rules": {"price_is_sound": "true"}})
SHOWN = OLD.model_copy(update={"title": "another"})


def lake(*steps: tuple[Contract, int, str]) -> dict[str, str]:
    properties: dict[str, str] = {"delta.checkpointInterval": "100"}
    for contract, version, by in steps:
        properties |= properties_of(contract, version, by)
    return properties


def test_the_history_is_by_version_and_names_contract_verb_and_time() -> None:
    properties = lake((OLD, 0, "stream.py"), (NEW, 10, "replay.py"), (OLD, 9, "stream.py"))
    entries = judging.history(properties)
    assert [(entry.version, entry.by) for entry in entries] == [
        (0, "stream.py"),
        (9, "stream.py"),
        (10, "replay.py"),
    ]
    assert entries[2].named == f"{NEW.name} {NEW.fingerprint[:12]}"
    assert entries[2].since.startswith("version 10 (replay.py, 20")
    assert judging.history({f"{JUDGED}3": '{"by": "a later release"}', f"{JUDGED}x": "{}"}) == []


def test_the_contract_is_kept_as_it_is() -> None:
    assert judging.stored_content(lake((OLD, 0, "stream.py"))) == content_of(OLD)
    assert judging.stored_content({}) is None
    dollars = OLD.model_copy(update={"title": "in ${dollars}"})
    kept = properties_of(dollars, 0, "stream.py")
    assert "$" not in kept[CONTRACT]
    assert judging.stored_content(kept) == content_of(dollars)


def test_nothing_is_noted_twice() -> None:
    properties = lake((OLD, 0, "stream.py"))
    assert missing_properties(properties, OLD, 5, "stream.py") == {}
    assert set(missing_properties(properties, NEW, 5, "stream.py")) == {CONTRACT, f"{JUDGED}5"}
    assert set(missing_properties({}, OLD, 5, "stream.py")) == {CONTRACT, f"{JUDGED}5"}
    assert set(missing_properties(properties, OLD, 5, "replay.py", judged_again=True)) == {
        CONTRACT,
        f"{JUDGED}5",
    }


def test_what_judges_nothing_is_kept_and_makes_no_epoch() -> None:
    noted = missing_properties(lake((OLD, 0, "stream.py")), SHOWN, 5, "stream.py")
    assert json.loads(noted.pop(CONTRACT))["title"] == "another"
    assert noted == {}


def test_the_contract_from_before_a_replay_is_refused_with_both_named() -> None:
    properties = lake((OLD, 0, "stream.py"), (NEW, 7, "replay.py"))
    with pytest.raises(ConfigError) as error:
        judging.refuse_a_former(properties, OLD)
    for part in (OLD.fingerprint[:12], NEW.fingerprint[:12], "version 7 (replay.py, 20"):
        assert part in error.value.message
    assert "jobs/replay.py" in error.value.hint
    with pytest.raises(ConfigError):
        judging.refuse_a_former(properties, SHOWN)


@pytest.mark.parametrize(
    "properties",
    [
        {},
        lake((OLD, 0, "stream.py")),
        lake((NEW, 0, "stream.py")),
        lake((OLD, 0, "stream.py"), (NEW, 5, "stream.py")),
        lake((NEW, 0, "stream.py"), (OLD, 7, "replay.py")),
        lake((OLD, 0, "stream.py"), (NEW, 7, "replay.py"), (OLD, 8, "replay.py")),
    ],
)
def test_any_other_may_go_on(properties: dict[str, str]) -> None:
    judging.refuse_a_former(properties, OLD)


def test_a_frozen_field_is_named_with_how_to_thaw_it() -> None:
    name, field = next((name, field) for name, field in OLD.fields.items() if not field.required)
    frozen = OLD.model_copy(
        update={"fields": {**OLD.fields, name: field.model_copy(update={"change": "freeze"})}}
    )
    changed = OLD.model_copy(
        update={"fields": {**OLD.fields, name: field.model_copy(update={"missing": ["none"]})}}
    )
    judging.refuse_frozen(differences(content_of(frozen), OLD))
    with pytest.raises(
        ConfigError, match=f"forbids what this contract changes: field {name}: missing: also none"
    ) as error:
        judging.refuse_frozen(differences(content_of(frozen), changed))
    assert "jobs/replay.py" in error.value.hint

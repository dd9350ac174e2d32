"""A short soak: three minutes of load with a kill every 40 seconds or so."""

from pathlib import Path

import pytest

from faults.soak import Soak
from faults.soak_report import Report
from support.survey_env import SURVEY


@pytest.mark.slow
def test_every_acknowledged_record_survives_three_minutes_of_kills(tmp_path: Path) -> None:
    report = Soak(tmp_path, SURVEY.with_suffix(".sample.csv"), Report(3, 2000, seed=7), every=40).run()
    assert report.sound, report
    assert min(sum(report.driver_kills.values()), report.broker_kills) >= 1
    assert report.account.acked > 100_000

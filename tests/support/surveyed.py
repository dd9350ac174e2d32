"""From an invented survey to its publication, by the product's own steps, without Kafka or a lake."""

import csv
import json
from pathlib import Path

from pyspark.sql import SparkSession

from support.made_surveys import Made, contract_toml
from support.validation import MAX_BYTES, kafka_rows
from surveylake.aggregate import analysis, people, record_counts
from surveylake.config import Publish
from surveylake.contract.model import load_contract
from surveylake.export import csv_files, hypothesis_tests
from surveylake.export.charts import render
from surveylake.export.report import render as report
from surveylake.export.statements.report import report_of
from surveylake.validate.pipeline import validated


def publish(spark: SparkSession, name: str, survey_and_rows: Made, folder: Path) -> Path:
    """Write answers.csv and contract.toml into `folder`, then the exports. Returns their folder."""
    survey, rows = survey_and_rows
    header = list(rows[0]) if rows else [column.source for column in survey.columns.values()]
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    (folder / "contract.toml").write_text(contract_toml(name, survey), encoding="utf-8")
    contract = load_contract(folder / "contract.toml")
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        values = [json.dumps(row, ensure_ascii=False).encode() for row in csv.DictReader(file)]
    taken = validated(kafka_rows(spark, values), contract, MAX_BYTES).persist()
    try:
        responses = people.latest(taken, contract)
        settings = Publish()
        findings = analysis.findings_of(responses, contract, settings, record_counts.count(taken, 1))
    finally:
        taken.unpersist()
    out = folder / "out"
    out.mkdir()
    csv_files.write_summaries(findings, out)
    statements = report_of(findings, hypothesis_tests.run_tests(findings), settings.warn_rejected_share)
    charts = render.draw_charts(statements, findings, out / "charts")
    report.write_report(statements, findings, charts, out)
    return out

"""Delta tables in; CSV files, charts, report and manifest out, replaced as one set.

Run it:  python jobs/export.py --lake lake --out out      or      spark-submit jobs/export.py --lake lake --out out
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surveylake import cli, wording
from surveylake.config import Config, load_config
from surveylake.contract.model import Contract, load_contract
from surveylake.errors import StorageError
from surveylake.runtime.session import OpenSession, opener

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from surveylake.aggregate.analysis import Published
    from surveylake.lake import tables

AGAIN = "Run jobs/aggregate.py again, then this."

EXAMPLES = """
  python jobs/export.py                                  lake/ into out/
  python jobs/export.py --lake /data/lake --out /data/published
  python jobs/export.py --lake s3a://bucket/lake --out s3a://bucket/published --conf conf/cluster.toml
  SPARK_CONF_DIR=conf spark-submit jobs/export.py --lake lake --out out
"""


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Publish what aggregate.py made last."""
    parser = cli.survey_parser(
        "export", "Write CSV files, charts and the report from the tables in LAKE.", EXAMPLES
    )
    cli.add_out(parser, "folder to publish in (default: %(default)s)", "out")
    args = parser.parse_args(argv)
    config, contract = load_config(args.conf), load_contract(args.survey)
    export(opener("surveylake export", config.store), args.lake, args.out, config, contract, None)
    return 0


def export(
    open_spark: OpenSession,
    root: str,
    out: str | Path,
    config: Config,
    contract: Contract,
    published: "Published | None",
) -> None:
    """Run the step. Without `published` (what run.py has just aggregated), computes it from the lake again."""
    began = time.monotonic()
    from surveylake.export import csv_files, hypothesis_tests
    from surveylake.export.charts import render
    from surveylake.export.places import parts_folder, publication_of
    from surveylake.export.report import render as report
    from surveylake.export.statements.report import report_of
    from surveylake.lake import tables

    spark = open_spark()
    lake = tables.open_lake(spark, cli.absolute(root))
    with publication_of(spark, str(out), lake) as publication:
        published = published or _aggregated(spark, lake, config, contract)
        responses = tables.read(spark, lake.table(tables.RESPONSES), published.responses_version)
        bom = config.publish.csv_bom
        answers = publication.path("responses.csv")
        with parts_folder(spark, str(out), lake, answers) as parts:
            csv_files.write_responses(responses, contract, answers, parts, bom)
        csv_files.write_summaries(published.findings, publication.folder(), bom)
        tests = hypothesis_tests.run_tests(published.findings)
        statements = report_of(published.findings, tests, config.publish.warn_rejected_share)
        drawn = render.draw_charts(statements, published.findings, publication.folder("charts"))
        report.write_report(statements, published.findings, drawn, publication.folder())
        files = publication.commit(csv_files.facts_of(published.findings))
    if boxes := render.boxes_note(drawn):
        print(f"note: {wording.printable(boxes)}", file=sys.stderr)
    print(
        f"export: {len(files)} files in {out}, {publication.where}/report.html to read first, in {time.monotonic() - began:.1f} s"
    )


def _aggregated(
    spark: "SparkSession", lake: "tables.Lake", config: Config, contract: Contract
) -> "Published":
    """Compute what aggregate.py made last, again from the same version of `records`."""
    from surveylake.aggregate import analysis, record_counts
    from surveylake.lake import table_history, tables

    path = tables.require(spark, lake, tables.RESPONSES, "jobs/aggregate.py")
    # One version of it: another process may write it anew while this one counts.
    made = tables.version(spark, path)
    provenance = table_history.provenance_of(spark, path, made)
    if provenance.records_version is None:
        raise StorageError(f"{path} does not say which version of records it was made from", AGAIN)
    if provenance.contract != contract.fingerprint:
        raise StorageError(f"{path} was made under another contract than {contract.name}", AGAIN)
    counts = record_counts.at_provenance(spark, lake, provenance)
    if counts.read_from is not None:
        record_counts.require_the_same(spark, lake, contract, counts, made)
        print(f"export: from version {counts.version} of records{counts.how}")
    return analysis.analyse(spark, lake, contract, config.publish, counts, made)


if __name__ == "__main__":
    sys.exit(main())

"""Findings and tests in; the report as statements out. Nothing is laid out here."""

from surveylake import __version__
from surveylake.aggregate.findings import Findings
from surveylake.export.hypothesis_tests import Evidence
from surveylake.export.statements.hypothesis import of_hypothesis
from surveylake.export.statements.model import Report, Statement
from surveylake.export.statements.survey import of_survey
from surveylake.export.statements.tables import of_table


def report_of(findings: Findings, evidence: Evidence, rejected_share: float) -> Report:
    """Return everything the report says; see `of_survey` for `rejected_share`."""
    contract, smallest = findings.contract, findings.smallest_group
    statements: list[Statement] = [*of_survey(findings, rejected_share), *of_hypothesis(findings, evidence)]
    for table in findings.summaries.values():
        statements += of_table(table, findings, published=True)
    for table in findings.outcomes.values():
        if table.by not in findings.summaries:
            statements += of_table(table, findings, published=False)
    about = {
        "survey": contract.name,
        "title": contract.title,
        "claim": contract.hypothesis.claim if contract.hypothesis else None,
        "contract_sha256": contract.fingerprint,
        "records_version": findings.version,
        "smallest_group": smallest,
        "surveylake": __version__,
    }
    return Report({name: value for name, value in about.items() if value is not None}, tuple(statements))

"""From findings and tests to the report as statements, without layout."""

from surveylake import __version__
from surveylake.aggregate.findings import Findings
from surveylake.export.hypothesis_tests import Evidence
from surveylake.export.statements.hypothesis import hypothesis_statements
from surveylake.export.statements.model import Report, Statement
from surveylake.export.statements.survey import survey_statements
from surveylake.export.statements.tables import table_statements


def report_of(findings: Findings, evidence: Evidence, rejected_share: float) -> Report:
    """Return the whole report; see `survey_statements` for `rejected_share`."""
    contract, smallest = findings.contract, findings.smallest_group
    statements: list[Statement] = [
        *survey_statements(findings, rejected_share),
        *hypothesis_statements(findings, evidence),
    ]
    for table in findings.summaries.values():
        statements += table_statements(table, findings, published=True)
    for table in findings.outcomes.values():
        if table.by not in findings.summaries:
            statements += table_statements(table, findings, published=False)
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

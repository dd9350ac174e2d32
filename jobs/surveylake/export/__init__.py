"""From findings to files: CSVs, charts and the report, published as one set."""

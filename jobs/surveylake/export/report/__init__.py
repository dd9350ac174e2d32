"""The report's pages, laid out from statements."""

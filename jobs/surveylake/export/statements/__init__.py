"""The report as data: statements with their numbers, before any layout."""

"""The report: what was found, as a table, CSV, JSON, Markdown or a page."""

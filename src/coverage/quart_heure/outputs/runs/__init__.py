"""Runs: folders of results compared with one another, by cause, and verified."""

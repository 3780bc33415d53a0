"""Proposals: where to open next, whom to call, which link is missing, kept in a folder.

A report, a map and the dossiers of the same study show them beside what they are about.
"""

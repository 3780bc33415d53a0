"""Siting: where services would help most, with the proof; a module per kind of question."""

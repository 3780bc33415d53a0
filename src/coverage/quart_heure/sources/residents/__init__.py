"""Residents: how many people live where, and other weights."""

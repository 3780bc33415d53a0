"""Residents: how many people live where, and other weights."""

from typing import TYPE_CHECKING

from quart_heure.moved import face_of

if not TYPE_CHECKING:  # types are known where a thing is defined
    __getattr__ = face_of(__name__, "residents")

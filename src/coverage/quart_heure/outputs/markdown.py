"""Markdown: text of others that stays text where it is rendered."""

from __future__ import annotations

import re

from quart_heure.steering import harmless


def escaped(text: str) -> str:
    """Escape what Markdown, or the HTML it may hold, would read as more than text."""
    text = harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An underscore within a word, as in an id, is an underscore.
    return re.sub(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))", r"\\\1", text).replace("\n", " ")

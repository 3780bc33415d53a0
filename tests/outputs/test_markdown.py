"""Text of others steers no terminal and is no HTML where Markdown is rendered."""

from __future__ import annotations

import dataclasses

from rich.text import Text

from helpers import toy_town
from quart_heure.outputs.markdown import escaped
from quart_heure.outputs.report.variants import render_paces, render_sensitivity
from quart_heure.outputs.terminal import drawn
from quart_heure.profiles import ADULT
from quart_heure.study.variants import paces, sensitivity

HOSTILE = "A\x1b[31m\x1b]0;t\x07\x9b2J\u202eB<script>x</script>|*"


def test_what_would_steer_a_terminal_is_left_out() -> None:
    for colour in (False, True):
        text = drawn([Text(HOSTILE)], width=100, colour=colour)
        assert not set("\x07\x9b\u202e") & set(text)
        assert "\x1b]" not in text
    assert "\x1b" not in drawn([Text(HOSTILE)], width=100)
    assert "\x1b[1m" in drawn([Text("bold", style="bold")], width=100, colour=True)


def test_markdown_holds_no_markup_of_others() -> None:
    assert "<" not in escaped(HOSTILE)
    town = toy_town.town_study()
    area = dataclasses.replace(town.area, name="<script>x</script>")
    study = town.replace(area=area)
    pace = paces(study, profiles=(ADULT,), thresholds=(5.0,))
    for text in (
        render_paces(pace, study, form="md"),
        render_sensitivity(sensitivity(study), study, form="md"),
    ):
        assert "<script>" not in text
        assert "NE PAS DIFFUSER" in text  # private, and said

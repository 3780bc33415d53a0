"""Cells that are let in anew where a rule differs, beside all of them let in by that rule."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import toy_town
from helpers.random_towns import PROFILES, SEEDS, SIDES
from quart_heure.analysis.entering import Entering
from quart_heure.analysis.surface import Cells, cells_of_area
from quart_heure.cache import Cache
from quart_heure.network.graph import WalkNetwork
from quart_heure.network.travel_time import search_graph
from quart_heure.profiles import ADULT, STEP_FREE, WalkProfile
from quart_heure.sources.areas.areas import StudyArea
from quart_heure.study import analyse
from quart_heure.study.prepared import prepare

CELLS_M = st.sampled_from([10.0, 25.0, 60.0])
SNAPS_M = st.sampled_from([20.0, 45.0, 60.0, 100.0, 150.0])


def let_in(area: StudyArea, rule: Entering, cell_m: float) -> Cells:
    return cells_of_area(
        area,
        rule.network,
        graph=rule.graph,
        usable=rule.usable,
        cell_m=cell_m,
        snap_m=rule.snap_m,
        ground=rule.ground,
    )


@given(
    seed=SEEDS,
    columns=SIDES,
    rows=SIDES,
    cell_m=CELLS_M,
    snaps_m=st.tuples(SNAPS_M, SNAPS_M),
    walkers=st.tuples(PROFILES, PROFILES),
    closed=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_cells_that_differ_are_all_that_differ(
    seed: int,
    columns: int,
    rows: int,
    cell_m: float,
    snaps_m: tuple[float, float],
    walkers: tuple[WalkProfile, WalkProfile],
    closed: float,
) -> None:
    rng = random.Random(seed)
    town = toy_town.random_town(seed, columns=columns, rows=rows)
    network = WalkNetwork.from_edges(town.edges)
    usable = np.array([rng.random() < 0.8 for _ in range(network.n_edges)])
    turned = np.array([rng.random() < closed for _ in range(network.n_edges)])
    ground = toy_town.town_river() if rng.random() < 0.5 else None
    before, now = (
        Entering(
            network=network,
            graph=search_graph(network, profile),
            usable=edges,
            snap_m=snap_m,
            ground=ground,
        )
        for profile, edges, snap_m in zip(walkers, (usable, usable ^ turned), snaps_m, strict=True)
    )
    known, wanted = (let_in(town.area, rule, cell_m) for rule in (before, now))

    differs = before.differs_for(now, known)

    assert differs is not None
    found = now.let_in(known, differs)
    assert found.attachment.digest == wanted.attachment.digest
    assert len(known) == len(found)


def test_what_is_the_same_is_not_worked_out_again() -> None:
    study = toy_town.town_study()
    made = prepare(study, cache=Cache(None))
    faster = study.replace(profile=dataclasses.replace(ADULT, speed_kmh=5.0))
    again = prepare(faster, cache=Cache(None), like=(study, made))
    assert again.cells is made.cells
    assert again.residents is made.residents
    coarser = study.replace(cell_m=2 * study.cell_m)
    assert len(prepare(coarser, cache=Cache(None), like=(study, made)).cells) < len(made.cells)


def test_streets_of_another_network_are_another_matter() -> None:
    study = toy_town.town_study()
    made = prepare(study, cache=Cache(None))
    other = dataclasses.replace(made.entering, network=toy_town.town_network())
    assert made.entering.differs_for(other, made.cells) is None


@pytest.mark.parametrize(
    "change", [{"profile": STEP_FREE}, {"snap_m": 60.0}, {"useful_share": 0.5}]
)
def test_a_like_study_is_analysed_alike(change: dict[str, object]) -> None:
    study = toy_town.town_study()
    other = study.replace(**change)
    like = prepare(other, cache=Cache(None), like=(study, prepare(study, cache=Cache(None))))
    alone, beside = analyse(other), analyse(other, prepared=like)
    assert beside.indicators.equals(alone.indicators)

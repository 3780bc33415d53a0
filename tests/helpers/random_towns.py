"""Random stops and walkers in the toy town, and their attachment by brute force."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from helpers import reference
from helpers.reference import Stop, Walker
from quart_heure.network.snapping import Attachment
from quart_heure.profiles import ADULT, STEP_FREE, WalkProfile

CLIMBER = WalkProfile(name="climber", speed_kmh=4.5, steps_factor=2.0)

PROFILES = st.sampled_from([ADULT, CLIMBER, STEP_FREE])

SEEDS = st.integers(0, 2**32 - 1)

SIDES = st.integers(2, 4)


def walker(profile: WalkProfile) -> Walker:
    return Walker(profile.speed_m_per_min, profile.steps_factor, profile.steps_allowed)


def attachment(places: Sequence[Sequence[Stop] | Stop | None]) -> Attachment:
    """Places with their entries: some, one or none."""
    each = [[] if p is None else [p] if isinstance(p, Stop) else list(p) for p in places]
    rows = [(k, stop) for k, stops in enumerate(each) for stop in stops]
    return Attachment.of_entries(
        np.array([k for k, _ in rows], dtype=np.int32),
        np.array([stop.edge for _, stop in rows], dtype=np.int32),
        np.array([stop.offset_m for _, stop in rows]),
        np.array([stop.access_m for _, stop in rows]),
        n_places=len(each),
    )


def random_places(
    rng: random.Random, edges: Sequence[reference.Edge], who: Walker, count: int
) -> list[list[Stop]]:
    """Places with several entries on edges that can be walked, some with none."""
    places = []
    for _ in range(count):
        stops = random_stops(rng, edges, who, rng.choice((1, 1, 2, 3, 5)))
        # of one edge, one entry
        places.append(list({stop.edge: stop for stop in stops if stop is not None}.values()))
    return places


def random_stops(
    rng: random.Random, edges: Sequence[reference.Edge], who: Walker, count: int
) -> list[Stop | None]:
    """Entries on edges that can be walked; many at ends, at the same spots, and some nowhere."""
    usable = [k for k, edge in enumerate(edges) if who.can_take(edge)]
    if not usable:
        return [None] * count
    few = rng.sample(usable, min(len(usable), 4))  # so that several share an edge
    stops: list[Stop | None] = []
    for _ in range(count):
        if rng.random() < 0.1:
            stops.append(None)
            continue
        number = rng.choice(few if rng.random() < 0.6 else usable)
        length_m = edges[number].length_m
        offset_m = rng.choice((0.0, length_m, length_m / 2, rng.uniform(0, length_m)))
        stops.append(Stop(number, offset_m, rng.choice((0.0, 25.0, rng.uniform(0, 100)))))
    return stops

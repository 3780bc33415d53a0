"""Walkers: named profiles with a speed and a way to deal with steps."""

from __future__ import annotations

import dataclasses
import re

from quart_heure.errors import StudyFileError
from quart_heure.hints import nearest_hint

__all__ = ["ADULT", "PROFILES", "SLOW", "STEP_FREE", "WalkProfile", "get_profile"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WalkProfile:
    """A named walker.

    Parameters
    ----------
    name
        Identifier, as written in a study file.
    speed_kmh
        Walking speed on level ground, in km/h.
    steps_factor
        How many times longer a metre of steps takes than a metre of street.
    steps_allowed
        Whether the walker can take steps at all.
    demanding_allowed
        Whether the walker takes mountain paths for the sure-footed (``sac_scale`` T3 and harder);
        who cannot take steps does not.

    Raises
    ------
    StudyFileError
        If the speed is not in (0, 10] km/h or the factor not within 1 and 100.
    """

    name: str
    speed_kmh: float
    steps_factor: float = 1.0
    steps_allowed: bool = True
    demanding_allowed: bool = True

    def __post_init__(self) -> None:
        """Refuse a speed or a factor no walker has."""
        if not 0 < self.speed_kmh <= 10:
            msg = f"Profile {self.name!r}: speed_kmh is {self.speed_kmh}, outside (0, 10]."
            raise StudyFileError(msg, hint="Give a walking speed in km/h, such as 4.5.")
        if not self.steps_factor >= 1:
            msg = f"Profile {self.name!r}: steps_factor is {self.steps_factor}, below 1."
            raise StudyFileError(msg, hint="Give 1 for steps as fast as streets, more if slower.")
        if self.steps_factor > 100:
            msg = f"Profile {self.name!r}: steps_factor is {self.steps_factor}, above 100."
            hint = "Give steps_allowed = false for who cannot take steps."
            raise StudyFileError(msg, hint=hint)

    @property
    def speed_m_per_min(self) -> float:
        """Speed in metres per minute."""
        return self.speed_kmh * 1000 / 60


ADULT = WalkProfile(name="adult", speed_kmh=4.5)
"""Who walks as most people do, on stairs and on mountain paths too."""

SLOW = WalkProfile(name="slow", speed_kmh=3.0, demanding_allowed=False)
"""Whoever is slow: luggage, a child, age. No mountain paths."""

STEP_FREE = WalkProfile(
    name="step_free", speed_kmh=3.0, steps_allowed=False, demanding_allowed=False
)
"""Whoever cannot take stairs, and is as slow."""

PROFILES: dict[str, WalkProfile] = {p.name: p for p in (ADULT, SLOW, STEP_FREE)}
"""The walkers by their names."""


_FRENCH = {
    "adulte": "adult",
    "lent": "slow",
    "lente": "slow",
    "sans_marche": "step_free",
    "sans_marches": "step_free",
    "sans_escalier": "step_free",
}


def get_profile(name: str) -> WalkProfile:
    """Return the profile of that name, in English or in French.

    Raises
    ------
    StudyFileError
        If there is none; the message suggests the nearest, or lists those that exist.
    """
    plain = re.sub(r"[-\s]+", "_", name.strip().lower())
    for key in (name, plain, _FRENCH.get(plain, "")):
        if key in PROFILES:
            return PROFILES[key]
    msg = f"There is no walker {name!r}."
    otherwise = f"Choose one of {', '.join(PROFILES)}."
    raise StudyFileError(msg, hint=nearest_hint(plain, [*PROFILES, *_FRENCH], otherwise))

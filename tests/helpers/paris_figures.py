"""What the packaged Paris is known to hold: renewed here when its facts or definitions change."""

ELSEWHERE_PCT = {
    "bains_douches": 31.6,
    "esi": 28.9,
    "restaurant_solidaire": 22.6,
    "halte_femmes": 12.9,
    "bagagerie": 11.4,
}
"""Share of the on-network area within 15 minutes, found on 50 m cells by others, with every place
of the facts before 2026 that has coordinates counted, open or not."""

PLACED_SINCE = (
    "accueil_de_jour-75001-aux-captifs-la-liberation-antenne-saint-leu-saint-gilles",
    "distribution_alimentaire-75019-la-chorba-porte-de-la-villette",
    "halte_femmes-75020-mairie-du-20e",
)
"""Places with coordinates that the facts before 2026 did not have."""

MOVED_FROM = {"halte_femmes-75011-l-oasis": "bains_douches-75012-charenton"}
"""Places that these facts had elsewhere, and what stands at the same address."""

NOT_COUNTED_PTS = {
    "bains_douches": 2.7,
    "halte_femmes": 2.6,
    "distribution_alimentaire": 4.85,
}
"""Points of the area that places which are not open would add, per category; 0 for others.

Two bains-douches without an opening day, a halte that ended, three seasonal distributions."""

STATED_HOURS = 49
"""Rows whose hours are certain."""

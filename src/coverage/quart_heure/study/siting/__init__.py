"""Where next: the places where more services would help most, each with its proof."""

from quart_heure.study.siting.proposed import Siting, site
from quart_heure.study.siting.question import MOST_SITES, Asked, check_category

__all__ = ["MOST_SITES", "Asked", "Siting", "check_category", "site"]

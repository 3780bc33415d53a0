"""Entries that are worked out when they are first asked for.

Most of what is told of the cells of a city needs to know whether each is on the network, and where
it enters first. All their entries are as large as anything in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from quart_heure.network.snapping import Attachment


class LaterAttachment(Attachment):
    """An attachment whose entries are worked out when they are first asked for.

    Parameters
    ----------
    n_places
        Number of places.
    enter
        Works out the attachment.
    nearest_edge, nearest_m
        Edge of the nearest entry of each place, -1 off the network, and metres to it, where these
        are known before; shapes (n,).
    """

    def __init__(
        self,
        n_places: int,
        enter: Callable[[], Attachment],
        *,
        nearest_edge: NDArray[np.int32] | None = None,
        nearest_m: NDArray[np.float64] | None = None,
    ) -> None:
        # Of a frozen class: values that are known stand where it would keep what it derives.
        self.__dict__.update(n_places=n_places, _enter=enter)
        if nearest_edge is not None and nearest_m is not None:
            self.__dict__.update(
                nearest_edge=nearest_edge, nearest_m=nearest_m, attached=nearest_edge >= 0
            )

    @functools.cached_property
    def _entered(self) -> Attachment:
        entered: Attachment = self.__dict__["_enter"]()
        return entered

    @property
    def place(self) -> NDArray[np.int32]:
        """Position of the place of each entry; shape (k,)."""
        return self._entered.place

    @property
    def edge(self) -> NDArray[np.int32]:
        """Edge of each entry; shape (k,)."""
        return self._entered.edge

    @property
    def offset_m(self) -> NDArray[np.float64]:
        """Metres along the edge from its node u; shape (k,)."""
        return self._entered.offset_m

    @property
    def access_m(self) -> NDArray[np.float64]:
        """Metres between the place and the edge as they count; shape (k,)."""
        return self._entered.access_m

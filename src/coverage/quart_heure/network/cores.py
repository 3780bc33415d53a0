"""Cores: parts of a whole worked on at the same time, as far as a machine can."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable, Iterable
from typing import TypeVar

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")

_MOST_THREADS = 8

_PARTS = 8
"""Parts of what could be one: cores end at about the same time."""

_WORTH_IT = 8_000
"""Fewer places are not worth a part of their own."""


_kept_to: int | None = None


def keep_to(n_cores: int) -> None:
    """Use no more than some cores from now on: others work on this machine, too."""
    global _kept_to  # noqa: PLW0603 - of a process, as its cores are
    _kept_to = n_cores


def on_all_cores(work: Callable[[_Part], _Result], parts: Iterable[_Part]) -> list[_Result]:
    """Return what some work makes of each part, in their order.

    Numpy works without Python's lock, so threads share what is left to it; of shapes nothing may be
    asked in several threads at once. As many parts are in memory at once as this process may use
    cores, eight at most.

    Examples
    --------
    >>> on_all_cores(abs, [-2, 1, -3])
    [2, 1, 3]
    """
    parts = list(parts)
    n_threads = min(_cores(), _MOST_THREADS, len(parts))
    if n_threads < 2:
        return [work(part) for part in parts]
    with concurrent.futures.ThreadPoolExecutor(n_threads) as threads:
        return list(threads.map(work, parts))


def cut(n: int, *, most: int) -> list[slice]:
    """Return slices of n places for `on_all_cores`, as good as equal, none of more than ``most``.

    Examples
    --------
    >>> cut(5, most=2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    parts = max(-(-n // most), min(_PARTS, n // _WORTH_IT), 1)
    size = max(-(-n // parts), 1)
    return [slice(begin, min(begin + size, n)) for begin in range(0, n, size)]


def _cores() -> int:
    if _kept_to is not None:
        return _kept_to
    # Of the machine's cores, a batch or a container may have given this process some alone.
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1

"""The form of messages in which PBF keeps its data (protobuf).

A message is a row of fields; each is told by its number and by what follows, a number or a length
and so many bytes. Numbers are in groups of seven bits, the least first, as many as it takes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

NUMBER, BYTES = 0, 2
"""What follows; it stands in the lowest three bits of a field's key, the number above."""

PADDING = bytes(16)
"""Behind messages, so that a number that runs out of them ends."""

MOST_PACKED_BYTES = 4 << 20
"""No block that anybody writes has more, and each byte may become several numbers of eight."""

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class UnusualFileError(Exception):
    """A file that is to be read by osmium."""


class DamagedFileError(Exception):
    """A file that nobody is to read."""


def check(holds: object) -> None:
    """Leave a file to osmium unless something holds that is always so."""
    if not holds:
        raise UnusualFileError


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Give key, begin and end of the fields of a message; of a number, for begin what it is."""
    while at < end:
        key, at = read_number(data, at)
        value, at = read_number(data, at)
        if key & 7 == BYTES:
            value, at = at, at + value
        check(key & 7 in {NUMBER, BYTES} and at <= end)
        yield key, value, at


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and where it has ended."""
    value = shift = 0
    while True:
        octet, at = data[at], at + 1
        value |= (octet & 127) << shift
        if octet < 128:
            return value, at
        shift += 7
        check(shift < 64)


def numbers_at(octets: Octets, at: Integers) -> tuple[Integers, Integers]:
    """Return the numbers that begin at some places, and where each has ended."""
    octet = octets[at]
    value, after = (octet & 127).astype(np.int64), at + 1
    more = np.flatnonzero(octet > 127)
    for shift in range(7, 64, 7):
        if not len(more):
            break
        octet = octets[after[more]]
        value[more] |= (octet & 127).astype(np.int64) << shift
        after[more] += 1
        more = more[octet > 127]
    check(not len(more))
    return value, after


def unpack(octets: Octets) -> Integers:
    """Return packed numbers, each in as many bytes as it needs."""
    check(len(octets) <= MOST_PACKED_BYTES)
    ends = np.flatnonzero(octets < 128)
    check(len(octets) == 0 or octets[-1] < 128)
    begin = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    more = ends - begin
    value: Integers = (octets[begin] & 127).astype(np.int64)
    check(more.max(initial=0) < 10)
    for k in range(1, int(more.max(initial=0)) + 1):
        at = np.flatnonzero(more >= k)
        value[at] |= (octets[begin[at] + k] & 127).astype(np.int64) << 7 * k
    return value


def signed(numbers: Integers) -> Integers:
    """Return what was counted 0, -1, 1, -2, 2 and so on."""
    counted: Integers = (numbers >> 1 & 0x7FFF_FFFF_FFFF_FFFF) ^ -(numbers & 1)
    return counted

"""PBF, the packed format of OpenStreetMap's extracts, read a block at a time.

A file is a row of blobs, each with some thousand nodes, ways or relations and the strings they
share (https://wiki.openstreetmap.org/wiki/PBF_Format). numpy decodes the numbers of a whole block
at once, so that nothing is looked at one by one but what is asked for.

Nothing is guessed: a file that is not as nearly all are, damaged ones among them, is left to osmium
(`UnusualFileError`). What is not asked for, as who changed a street and when, is not looked at.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
import zlib
from collections.abc import Container, Iterator, Mapping
from typing import IO

import numpy as np
from numpy.typing import NDArray

from quart_heure.sources.osm.messages import (
    BYTES,
    MOST_PACKED_BYTES,
    PADDING,
    DamagedFileError,
    Integers,
    Octets,
    UnusualFileError,
    check,
    fields,
    numbers_at,
    read_number,
    signed,
    unpack,
)

NODES, WAYS, RELATIONS = 2, 3, 4
"""What a group of a block holds: nodes packed densely, ways, relations."""

# What the format allows, and what osmium takes of a text.
_MOST_HEADER_BYTES = 64 << 10
_MOST_BLOB_BYTES = 32 << 20
_MOST_TEXT_BYTES = 1024
_KNOWN_FEATURES = {b"OsmSchema-V0.6", b"DenseNodes"}
_PLACES_ON_WAYS = b"LocationsOnWays"

# No block that anybody writes has more, and what follows makes objects of them.
_MOST_PARTS, _MOST_FIELDS = 1_000_000, 1000

_ID, _KEYS, _VALUES, _INFO = 1 << 3, 2 << 3 | BYTES, 3 << 3 | BYTES, 4 << 3 | BYTES
_REFS = 8 << 3 | BYTES
_ROLES, _MEMBERS, _KINDS = (number << 3 | BYTES for number in (8, 9, 10))
_DENSE_IDS, _DENSE_INFO = 1 << 3 | BYTES, 5 << 3 | BYTES
_DENSE_LAT, _DENSE_LON, _DENSE_TAGS = (number << 3 | BYTES for number in (8, 9, 10))
# Who changed it and when; the sixth, whether it is still there, is of files of all versions.
_CHANGE = tuple(number << 3 for number in range(1, 6))
_DENSE_CHANGES = tuple(number << 3 | BYTES for number in range(1, 6))


@dataclasses.dataclass(frozen=True)
class Spans:
    """Parts of a block, by where they begin and end; shapes (n,)."""

    begin: Integers
    end: Integers

    def take(self, which: NDArray[np.bool_]) -> Spans:
        """Return some of them."""
        return Spans(self.begin[which], self.end[which])


@dataclasses.dataclass(frozen=True)
class Tags:
    """Tags of some elements, one after the other.

    Parameters
    ----------
    owner
        Position of the element that has a tag; shape (n,).
    key, value
        Positions in the strings of the block; shape (n,).
    """

    owner: Integers
    key: Integers
    value: Integers

    def take(self, which: NDArray[np.bool_]) -> Tags:
        """Return some of them."""
        return Tags(self.owner[which], self.key[which], self.value[which])


class Block:
    """A block: its strings, and its groups of elements."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = data + PADDING
        self._octets: Octets = np.frombuffer(self._data, dtype=np.uint8)
        self._table = (0, 0)
        self._groups: list[tuple[int, int]] = []
        tables = 0
        for n, (key, value, end) in enumerate(fields(self._data, 0, len(data))):
            check(n < _MOST_FIELDS)
            if key == 1 << 3 | BYTES:
                self._table, tables = (value, end), tables + 1
            elif key == 2 << 3 | BYTES:
                self._groups += [(value, end)] if end > value else []
            elif key == 17 << 3:
                check(value == 100)  # ten millionths of a degree
            else:
                check(key == 18 << 3 or (key in {19 << 3, 20 << 3} and value == 0))
        check(tables == 1)

    @functools.cached_property
    def kinds(self) -> frozenset[int]:
        """What the groups hold, as far as their first fields tell."""
        kinds = frozenset(self._data[begin] >> 3 for begin, _ in self._groups)
        check(kinds <= {NODES, WAYS, RELATIONS})
        return kinds

    @functools.cached_property
    def strings(self) -> list[str]:
        """The strings of the block."""
        spans = zip(*self._rows(*self._table, 1), strict=True)
        texts = [self._data[begin:end] for begin, end in spans]
        check(max(map(len, texts), default=0) <= _MOST_TEXT_BYTES)
        whole = b"\0".join(texts)
        if whole.count(b"\0") > max(len(texts) - 1, 0):
            # osmium takes such a text for several, and may end the process.
            msg = "a text holds a NUL"
            raise DamagedFileError(msg)
        try:
            return whole.decode().split("\0") if texts else []
        except UnicodeDecodeError as error:
            raise UnusualFileError from error

    def nodes(self) -> Iterator[tuple[Integers, Integers, Integers, Tags]]:
        """Give ids, longitudes and latitudes in ten millionths of a degree, and tags."""
        for spans in self._elements(NODES):
            known = (_DENSE_IDS, _DENSE_INFO, _DENSE_LAT, _DENSE_LON, _DENSE_TAGS)
            found = self._messages(spans, known)
            self._messages(found[_DENSE_INFO], _DENSE_CHANGES)
            check(len(spans.begin) == 1)
            ids, lat, lon = (
                np.cumsum(signed(self._numbers(found[key], 0)))
                for key in (_DENSE_IDS, _DENSE_LAT, _DENSE_LON)
            )
            check(len(ids) == len(lat) == len(lon))
            yield ids, lon, lat, self._dense_tags(self._numbers(found[_DENSE_TAGS], 0), ids)

    def ways(self) -> Iterator[tuple[Integers, Tags, Spans]]:
        """Give ids, tags, and where the nodes are told (see `references`)."""
        for spans in self._elements(WAYS):
            found = self._messages(spans, (_ID, _KEYS, _VALUES, _INFO, _REFS))
            self._messages(found[_INFO], _CHANGE)
            check(found[_ID].end.all())
            yield found[_ID].begin, self._tags(found[_KEYS], found[_VALUES]), found[_REFS]

    def relations(self) -> Iterator[tuple[Integers, Tags, tuple[Spans, Spans, Spans]]]:
        """Give ids, tags, and where the members are told (see `members`)."""
        for spans in self._elements(RELATIONS):
            known = (_ID, _KEYS, _VALUES, _INFO, _ROLES, _MEMBERS, _KINDS)
            found = self._messages(spans, known)
            self._messages(found[_INFO], _CHANGE)
            check(found[_ID].end.all())
            tags = self._tags(found[_KEYS], found[_VALUES])
            yield found[_ID].begin, tags, (found[_ROLES], found[_MEMBERS], found[_KINDS])

    def references(self, spans: Spans) -> tuple[Integers, Integers]:
        """Return the nodes of ways, one way after the other, and how many each has."""
        steps, counts = self._packed(spans)
        total = np.cumsum(signed(steps))
        first = np.cumsum(counts) - counts
        before = np.concatenate([[0], total])[first]
        nodes = total - np.repeat(before, counts)
        check((nodes >= 0).all())
        return nodes, counts

    def members(self, told: tuple[Spans, Spans, Spans], row: int) -> Iterator[tuple[int, str]]:
        """Give the ways of a relation, each with its role."""
        roles, steps, kinds = (self._numbers(spans, row) for spans in told)
        check(len(roles) == len(steps) == len(kinds))
        check((roles < len(self.strings)).all() and (roles >= 0).all() and (kinds <= 2).all())
        ids = np.cumsum(signed(steps))
        for osm_id, role, kind in zip(ids.tolist(), roles.tolist(), kinds.tolist(), strict=True):
            if kind == 1:
                yield osm_id, self.strings[role]

    def mappings(self, tags: Tags) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Give each element that has any of some tags, and these; the same ones are one object."""
        strings, n = self.strings, len(self.strings)
        codes = (tags.key * n + tags.value).tolist()
        begin = np.flatnonzero(np.diff(tags.owner, prepend=-1))
        known: dict[tuple[int, ...], Mapping[str, str]] = {}
        for element, (one, other) in zip(
            tags.owner[begin].tolist(),
            itertools.pairwise([*begin.tolist(), len(codes)]),
            strict=True,
        ):
            which = tuple(codes[one:other])
            if (found := known.get(which)) is None:
                found = known[which] = {strings[code // n]: strings[code % n] for code in which}
            yield element, found

    def having(self, tags: Tags, wanted: Mapping[str, Container[str] | None]) -> NDArray[np.bool_]:
        """Tell which tags have some keys and, where they are given, one of their values."""
        found = self._are({key for key, values in wanted.items() if values is None})[tags.key]
        for key, values in wanted.items():
            if values is not None:
                found |= self._are({key})[tags.key] & self._are(values)[tags.value]
        return found

    def _are(self, texts: Container[str]) -> NDArray[np.bool_]:
        return np.array([text in texts for text in self.strings], dtype=bool)

    def _elements(self, kind: int) -> Iterator[Spans]:
        """Give the elements of each group of a kind."""
        for begin, end in self._groups:
            if self._data[begin] >> 3 == kind:
                yield Spans(*np.array(self._rows(begin, end, kind), dtype=np.int64))

    def _rows(self, at: int, end: int, number: int) -> tuple[list[int], list[int]]:
        """Return where the parts begin and end of a message of nothing but one repeated field."""
        data, expected = self._data, number << 3 | BYTES
        begins: list[int] = []
        ends: list[int] = []
        while at < end:
            if data[at] != expected or len(begins) == _MOST_PARTS:
                raise UnusualFileError
            size, at = data[at + 1], at + 2
            if size > 127:
                size, at = read_number(data, at - 1)
            begins.append(at)
            at += size
            ends.append(at)
        check(at == end)
        return begins, ends

    def _messages(self, spans: Spans, known: tuple[int, ...]) -> dict[int, Spans]:
        """Walk many messages at once, field by field; of a number, ``begin`` is what it is."""
        n = len(spans.begin)
        found = {key: Spans(np.zeros(n, np.int64), np.zeros(n, np.int64)) for key in known}
        rows = np.flatnonzero(spans.begin < spans.end)
        at = spans.begin[rows]
        while len(rows):
            key = self._octets[at]
            value, at = numbers_at(self._octets, at + 1)
            size = np.where(key & 7 == BYTES, value, 0)
            check(((size >= 0) & (size <= len(self._data))).all())
            begin = np.where(key & 7 == BYTES, at, value)
            at = at + size
            check((at <= spans.end[rows]).all())
            n_known = 0
            for one in known:
                here = np.flatnonzero(key == one)
                check(not found[one].end[rows[here]].any())  # none comes twice
                found[one].begin[rows[here]], found[one].end[rows[here]] = begin[here], at[here]
                n_known += len(here)
            check(n_known == len(rows))
            left = at < spans.end[rows]
            rows, at = rows[left], at[left]
        return found

    def _numbers(self, spans: Spans, row: int) -> Integers:
        return unpack(self._octets[spans.begin[row] : spans.end[row]])

    def _packed(self, spans: Spans) -> tuple[Integers, Integers]:
        """Return the numbers in parts of the block, one part after the other, and how many each."""
        size = spans.end - spans.begin
        after = np.cumsum(size)
        check(size.sum() <= MOST_PACKED_BYTES)
        octets = self._octets[np.repeat(spans.begin - after + size, size) + np.arange(size.sum())]
        check((self._octets[spans.end[size > 0] - 1] < 128).all())
        ended = np.concatenate([[0], np.cumsum(octets < 128)])
        return unpack(octets), ended[after] - ended[after - size]

    def _tags(self, keys: Spans, values: Spans) -> Tags:
        key, n_keys = self._packed(keys)
        value, n_values = self._packed(values)
        check(np.array_equal(n_keys, n_values))
        return self._checked(Tags(np.repeat(np.arange(len(n_keys)), n_keys), key, value))

    def _dense_tags(self, told: Integers, ids: Integers) -> Tags:
        """Take apart the tags of nodes: keys and values in turn, a zero behind each node."""
        stop = told == 0
        ends = np.flatnonzero(stop)
        check(len(ends) == (len(ids) if len(told) else 0))
        check((np.diff(ends, prepend=-1) % 2 == 1).all() and (len(told) == 0 or stop[-1]))
        owner = np.cumsum(stop)[~stop]
        texts = told[~stop]
        return self._checked(Tags(owner[::2], texts[::2], texts[1::2]))

    def _checked(self, tags: Tags) -> Tags:
        for texts in (tags.key, tags.value):
            check(len(texts) == 0 or (texts.min() >= 0 and texts.max() < len(self.strings)))
        return tags


def read_header(file: IO[bytes]) -> str:
    """Return the date of the data, ``""`` if there is none; the file is at its begin."""
    blob = next(_blobs(file, b"OSMHeader"), None)
    check(blob is not None)
    data = _inflate(blob or b"")
    date = 0
    for key, value, end in fields(data + PADDING, 0, len(data)):
        if key == 4 << 3 | BYTES:
            check(data[value:end] in _KNOWN_FEATURES)
        elif key == 5 << 3 | BYTES:
            check(data[value:end] != _PLACES_ON_WAYS)
        elif key == 32 << 3:
            date = value
    check(0 <= date < 1 << 32)
    told = datetime.datetime.fromtimestamp(date, datetime.UTC)
    return told.strftime("%Y-%m-%dT%H:%M:%SZ") if date else ""


def read_blocks(file: IO[bytes]) -> Iterator[tuple[int, Block]]:
    """Give the blocks behind the header, and where each blob begins."""
    while True:
        place = file.tell()
        blob = next(_blobs(file, b"OSMData"), None)
        if blob is None:
            return
        yield place, Block(_inflate(blob))


def read_block(file: IO[bytes], place: int) -> Block:
    """Return the block at a place that `read_blocks` gave."""
    file.seek(place)
    return next(block for _, block in read_blocks(file))


def _blobs(file: IO[bytes], kind: bytes) -> Iterator[bytes]:
    while start := file.read(4):
        size = int.from_bytes(start, "big")
        check(len(start) == 4 and size <= _MOST_HEADER_BYTES)
        head = file.read(size)
        check(len(head) == size)
        told = {key: (value, end) for key, value, end in fields(head + PADDING, 0, size)}
        name, (length, _) = told.get(1 << 3 | BYTES, (0, 0)), told.get(3 << 3, (0, 0))
        check(head[slice(*name)] == kind and 0 < length <= _MOST_BLOB_BYTES)
        blob = file.read(length)
        check(len(blob) == length)
        yield blob


def _inflate(blob: bytes) -> bytes:
    told = {key: (value, end) for key, value, end in fields(blob + PADDING, 0, len(blob))}
    raw, size, packed = 1 << 3 | BYTES, 2 << 3, 3 << 3 | BYTES
    if told.keys() == {raw} or told.keys() == {raw, size}:
        return blob[slice(*told[raw])]
    check(told.keys() == {size, packed} and 0 < told[size][0] <= _MOST_BLOB_BYTES)
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(blob[slice(*told[packed])], told[size][0])
        # The last of the stream, its check sum, may still be to read.
        check(not inflate.decompress(inflate.unconsumed_tail, 1))
    except zlib.error as error:
        raise UnusualFileError from error
    check(inflate.eof and len(data) == told[size][0])
    return data

"""The run of a batch: what is left to do, done; what became of each territory, written down."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_heure.batch.claim import claimed
from quart_heure.batch.cluster import Workers, carry_out, check_workers
from quart_heure.batch.inputs import marks_of, secret_of
from quart_heure.batch.layout import finished, manifest_name
from quart_heure.batch.onward import Attempt
from quart_heure.batch.storage import Store
from quart_heure.batch.summary import COMPUTED, FAILED, KEPT, Fate, write_summary
from quart_heure.batch.task import Order
from quart_heure.batch.territory import TILE_CELLS
from quart_heure.errors import OutputError, QuartHeureError
from quart_heure.outputs.results.manifest import MANIFEST_NAME, json_text, plain
from quart_heure.stamp import creation_time, tool_version

if TYPE_CHECKING:
    from quart_heure.batch.inputs import Marks
    from quart_heure.batch.territory import Territory
    from quart_heure.cache import Cache
    from quart_heure.study.asked import Asked

ABOUT = "batch.json"
"""The file that tells of the batch: its day, which one that is taken up goes on with."""

LOG = "batch.log"

_UNWRITABLE = 3
"""So many territories one after another whose results cannot be written end the run."""

_AT_ONCE = 500
"""So many manifests are read at once: those of a country do not fit into memory."""

_LOG_S = 60.0
"""The log of a store, to which nothing can be added, is written anew this often."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What is wanted of a batch.

    Parameters
    ----------
    out
        Path or URL of its folder.
    asked
        What is asked of each study, over what its file does.
    day
        The day on which services must be valid, where no file has one; by default the day on
        which the batch was begun.
    workers
        Who works.
    limit_s, limit_mb
        Seconds, and megabytes of memory, that a territory may take, or a tile of one.
    tile_cells
        Territories of more cells are cut into tiles of so many; None to cut none.
    cache
        Keeps what took long.
    lang
        Language of the pages.
    """

    out: str
    asked: Asked
    workers: Workers
    cache: Cache
    day: datetime.date | None = None
    limit_s: float | None = None
    limit_mb: float | None = None
    tile_cells: int | None = TILE_CELLS
    lang: str = "fr"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Done:
    """What became of a batch.

    Parameters
    ----------
    computed, kept, failed
        Numbers of territories.
    files
        Names of what tells of all of them, in the folder of the batch.
    """

    computed: int
    kept: int
    failed: int
    files: tuple[str, ...]


def run_batch(
    territories: Sequence[Territory],
    wish: Wish,
    *,
    say: Callable[[str], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Done:
    """Work territories out, those that are finished aside, and write what became of each.

    A territory is finished when its manifest stands and its inputs, what is asked, the day and the
    version are the same. Whatever fails is told, and stops no other.

    Parameters
    ----------
    territories
        From `quart_heure.batch.territories.read_territories`.
    wish
        What is wanted.
    say, tell
        Called with each step, and with what whoever waits should know.

    Raises
    ------
    InputFileError
        If the extra is not installed.
    OutputError
        If another batch writes into the folder, or nothing can be written there any more.
    TryLaterError
        If the scheduler does not answer.
    """
    check_workers()
    store = Store(wish.out)
    if store.folder is not None:
        _made(store.folder)
    with claimed(store), _Log.of(store) as log:
        day = wish.day or _day_of(store)
        log.add(f"batch of {len(territories)} territories begins, version {tool_version()}")
        fates = {one.code: Fate(territory=one, state=FAILED) for one in territories}
        orders = _orders(territories, wish, store, day, fates, say)
        sizes = store.sizes()
        found = _finished(orders, store, sizes)
        _tell_others(territories, sizes, log, tell)
        fates |= {
            code: Fate(territory=fates[code].territory, state=KEPT, batch=batch)
            for code, batch in found.items()
        }
        for fate in fates.values():
            log.fate(fate, left=fate.territory.code in orders)
        for code in found:
            del orders[code]
        _work(orders, wish, store, fates, log, say=say, tell=tell)
        fates = {code: _with_earlier(fate, sizes) for code, fate in fates.items()}
        say("summary")
        files = write_summary(list(fates.values()), store, lang=wish.lang, day=day)
        states = [fate.state for fate in fates.values()]
        computed, kept, failed = (states.count(state) for state in (COMPUTED, KEPT, FAILED))
        log.add(f"batch ends: {computed} computed, {kept} kept, {failed} failed")
    return Done(computed=computed, kept=kept, failed=failed, files=(*files, LOG))


def _orders(
    territories: Sequence[Territory],
    wish: Wish,
    store: Store,
    day: datetime.date,
    fates: dict[str, Fate],
    say: Callable[[str], None],
) -> dict[str, Order]:
    """Return what is to be done for each territory whose inputs can be read; tell of the others."""
    say("inputs")
    known: dict[str, Marks] = {}
    faults: dict[str, str] = {}
    secret = secret_of(wish.cache)
    question = json.loads(json_text({"asked": plain(wish.asked), "day": day.isoformat()}))
    orders: dict[str, Order] = {}
    for one in territories:
        fault = one.fault or faults.get(one.study, "")
        if not fault:
            try:
                marks = marks_of(one, known)
            except QuartHeureError as error:
                fault = faults[one.study] = str(error)
        if fault:
            fates[one.code] = Fate(territory=one, state=FAILED, reason=one.shown(fault))
            continue
        orders[one.code] = Order(
            territory=one,
            store=store,
            asked=wish.asked,
            day=day,
            question=question,
            marks=marks,
            version=tool_version(),
            secret=secret,
            limit_s=wish.limit_s,
            limit_mb=wish.limit_mb,
            cache=wish.cache.folder,
            tile_cells=wish.tile_cells,
        )
    return orders


def _finished(
    orders: Mapping[str, Order], store: Store, sizes: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Return what the manifests of finished territories keep, by the codes of these."""
    names = {code: manifest_name(order.territory) for code, order in orders.items()}
    there = [code for code, name in names.items() if name in sizes]
    found = {}
    for at in range(0, len(there), _AT_ONCE):
        codes = there[at : at + _AT_ONCE]
        contents = store.read_many([names[code] for code in codes])
        for code in codes:
            order = orders[code]
            batch = finished(
                contents.get(names[code]),
                sizes,
                order.territory,
                marks=order.marks,
                question=order.question,
                secret=order.secret,
            )
            if batch is not None:
                found[code] = batch
    return found


def _tell_others(
    territories: Sequence[Territory],
    sizes: Mapping[str, int],
    log: _Log,
    tell: Callable[[str], None],
) -> None:
    """Tell of results that lie in the folder and are of no territory of this batch."""
    mine = {manifest_name(one) for one in territories}
    others = sorted(name for name in sizes if name.endswith(MANIFEST_NAME) and name not in mine)
    if others:
        place = others[0].removesuffix(f"/{MANIFEST_NAME}")
        text = f"Results of others lie in this folder ({len(others)}, such as {place}):"
        text += " whoever reads the tables of all reads theirs too."
        log.add(text)
        tell(text)


def _with_earlier(fate: Fate, sizes: Mapping[str, int]) -> Fate:
    """Say of a territory that failed where what an earlier run found still stands."""
    if fate.state != FAILED or manifest_name(fate.territory) not in sizes:
        return fate
    reason = f"{fate.reason} What an earlier run found, of other inputs, still stands."
    return dataclasses.replace(fate, reason=reason)


def _work(
    orders: dict[str, Order],
    wish: Wish,
    store: Store,
    fates: dict[str, Fate],
    log: _Log,
    *,
    say: Callable[[str], None],
    tell: Callable[[str], None],
) -> None:
    """Have orders carried out, and note what becomes of each."""

    def note(text: str) -> None:
        log.add(text)
        tell(text)

    def found(waiting: Mapping[str, Order]) -> Mapping[str, Mapping[str, Any]]:
        return _finished(waiting, store, store.sizes())

    unwritable, whole = 0, len(orders)
    attempts = carry_out(orders, wish.workers, tell=note, say=say, finished=found)
    with contextlib.closing(attempts):
        for number, attempt in enumerate(attempts, start=1):
            fate = _fate_of(attempt)
            fates[fate.territory.code] = fate
            log.fate(fate)
            say(f"{number} of {whole} territories: {fate.territory.label}")
            unwritable = unwritable + 1 if attempt.outcome.unwritable else 0
            if unwritable == _UNWRITABLE:
                msg = f"{fate.reason} {whole - number} of {whole} territories were not tried."
                hint = "The same command goes on from here when there is room."
                raise OutputError(msg, hint=hint)


def _fate_of(attempt: Attempt) -> Fate:
    outcome = attempt.outcome
    return Fate(
        territory=attempt.order.territory,
        state=FAILED if outcome.batch is None else COMPUTED,
        batch=outcome.batch,
        reason=outcome.reason,
        attempts=attempt.number,
        seconds=outcome.seconds,
        cpu_seconds=outcome.cpu_seconds,
        peak_mb=outcome.peak_mb,
    )


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror or error})."
        raise OutputError(msg, hint="Choose a folder you may write to.") from error


def _day_of(store: Store) -> datetime.date:
    """Return the day of a batch: that on which it was begun, kept in its folder."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return datetime.date.fromisoformat(json.loads(store.read(ABOUT) or b"")["day"])
    made = creation_time()
    about = {"tool": "quart-heure", "version": tool_version(), "created": made, "day": made[:10]}
    store.write(ABOUT, (json_text(about) + "\n").encode())
    return datetime.date.fromisoformat(made[:10])


class _Log:
    """The log of a batch: a line for each thing that happens, with the time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines = [] if store.folder is not None else [(store.read(LOG) or b"").decode()]
        self._written = time.monotonic()

    @classmethod
    @contextlib.contextmanager
    def of(cls, store: Store) -> Any:
        """Give the log of a folder, written to its end however the block ends."""
        log = cls(store)
        try:
            yield log
        except BaseException as error:
            log.add(f"batch stops: {type(error).__name__}: {error}")
            raise
        finally:
            log.write()

    def add(self, text: str) -> None:
        """Add a line; a log that cannot be written stops nothing."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{now} {' '.join(text.splitlines())}\n"
        folder = self._store.folder
        if folder is not None:
            with contextlib.suppress(OSError), (folder / LOG).open("a", encoding="utf-8") as file:
                file.write(line)
            return
        self._lines.append(line)
        if time.monotonic() - self._written > _LOG_S:
            self.write()

    def fate(self, fate: Fate, *, left: bool = False) -> None:
        """Add what became of a territory, unless it is still to be worked out."""
        name = f"{fate.territory.code} {fate.territory.label}"
        if fate.state == KEPT:
            self.add(f"{name}: kept")
        elif fate.state == COMPUTED:
            peak = "" if fate.peak_mb is None else f", {fate.peak_mb:g} MB"
            self.add(f"{name}: computed in {fate.seconds:g} s{peak}, attempt {fate.attempts}")
        elif not left:
            self.add(f"{name}: failed. {fate.reason}")

    def write(self) -> None:
        """Write what was not written yet."""
        self._written = time.monotonic()
        if self._store.folder is None:
            with contextlib.suppress(QuartHeureError):
                self._store.write(LOG, "".join(self._lines).encode())

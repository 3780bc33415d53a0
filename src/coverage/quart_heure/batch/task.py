"""The task of a batch: one territory, from its study to its partition, and what became of it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_heure.batch.inputs import Marks, kept_marks, marks_of, settings_for
from quart_heure.batch.layout import write_partition
from quart_heure.batch.storage import Store
from quart_heure.batch.territory import Territory
from quart_heure.batch.tiles import Cutting, JoinStep, Parcel, TileStep, cut_up, folder_of
from quart_heure.cache import Cache
from quart_heure.errors import OutputError, QuartHeureError, TryLaterError, shortage_of
from quart_heure.outputs.discretion import publishable
from quart_heure.outputs.telling import naming_pattern
from quart_heure.study.line import analyse
from quart_heure.study.study import Study
from quart_heure.study.tiled import about_cells

if TYPE_CHECKING:
    from quart_heure.study.asked import Asked


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """What a worker is asked to do; all that it needs to know.

    Parameters
    ----------
    territory, store
        What is worked out, and where its results go.
    asked
        What is asked of the study, over what its file does.
    day
        The day on which services must be valid, where the file has none: that of the batch, so
        that one which is taken up on another day goes on with the same figures.
    question
        The two as a manifest keeps them.
    marks
        What its inputs were when the batch began.
    version
        Of this program; a worker that has another refuses.
    secret
        See `quart_heure.batch.inputs.kept_marks`.
    limit_s, limit_mb
        Seconds, and megabytes of memory, that it may take; None for any number.
    cache
        Folder of the cache; None to keep nothing.
    tile_cells
        A territory of more cells is cut into tiles of so many; None for none.
    step
        Which of the tasks of a territory that was cut; None for one that is not, or not yet.
    """

    territory: Territory
    store: Store
    asked: Asked
    day: datetime.date
    question: Mapping[str, Any]
    marks: Marks
    version: str
    secret: bytes = dataclasses.field(repr=False, default=b"")
    limit_s: float | None = None
    limit_mb: float | None = None
    cache: Path | None = None
    tile_cells: int | None = None
    step: TileStep | JoinStep | None = None

    @property
    def key(self) -> str:
        """What it is known by among all orders of a batch."""
        match self.step:
            case TileStep(number=number):
                return f"{self.territory.code}/{number}"
            case JoinStep():
                return f"{self.territory.code}/joined"
        return self.territory.code

    @property
    def label(self) -> str:
        """What people are told that it is."""
        match self.step:
            case TileStep(number=number, count=count):
                return f"{self.territory.label}, tile {number} of {count}"
        return self.territory.label


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an order.

    Parameters
    ----------
    batch
        What the manifest keeps of the batch; None if it failed, or is not finished with this.
    cutting
        What is to be done now, of a territory that was cut.
    found
        What was found in a tile.
    reason
        Why it failed; empty if it did not.
    again
        Whether another attempt may go well: the worker died, or a server did not answer.
    unwritable
        Whether its results could not be written.
    seconds, cpu_seconds, peak_mb
        What it took, as far as that is known.
    """

    batch: Mapping[str, Any] | None = None
    cutting: Cutting | None = None
    found: Parcel | None = None
    reason: str = ""
    again: bool = False
    unwritable: bool = False
    seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_mb: float | None = None


def work_out(order: Order) -> Outcome:
    """Work out one order, in this process; whatever goes wrong is told, nothing is raised."""
    began, cpu = time.perf_counter(), time.process_time()
    _forget_peak()
    study: Study | None = None

    def cost() -> dict[str, Any]:
        return {
            "seconds": round(time.perf_counter() - began, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "peak_mb": _peak_mb(),
        }

    try:
        if isinstance(order.step, TileStep):
            return Outcome(found=order.step.search(order.store), **cost())
        cache = Cache(order.cache)
        # What is read now is what figures are made from, whatever it was when the batch began.
        marks = marks_of(order.territory, {})
        with settings_for(order.territory, marks) as settings:
            study = Study.from_settings(settings, cache=cache, today=order.day, **order.asked)
            if order.step is None and order.tile_cells and about_cells(study) > order.tile_cells:
                cutting = cut_up(study, order.territory, order.store, order.tile_cells, cache=cache)
                return Outcome(cutting=cutting, **cost())
            batch = _written(order, study, marks, cache=cache, cost=cost)
    except Exception as error:
        reason = _without_names(order.territory.shown(_reason_of(error)), study)
        return Outcome(
            reason=reason,
            again=isinstance(error, TryLaterError),
            unwritable=isinstance(error, OutputError),
            **cost(),
        )
    return Outcome(batch=batch, **cost())


def _written(
    order: Order,
    study: Study,
    marks: Marks,
    *,
    cache: Cache,
    cost: Callable[[], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Analyse a study and write its partition; return what its manifest keeps of the batch."""
    step = order.step if isinstance(order.step, JoinStep) else None
    tiles = None if step is None else step.in_tiles(order.store)
    discreet = bool(study.services.table["discreet"].any()) or study.services.unanchored > 0
    coverage = publishable(analyse(study, cache=cache, tiles=tiles))
    told = {
        "question": dict(order.question),
        "inputs": kept_marks(marks, discreet=discreet, secret=order.secret),
        **({} if step is None else {"tiles": len(step.found)}),
    }
    batch = write_partition(
        coverage,
        order.territory,
        order.store,
        told,
        cost if step is None else lambda: added(step.spent, cost()),
    )
    # Of this run or of one that was stopped: nobody asks for them any more.
    order.store.remove_folder(folder_of(order.territory))
    return batch


def added(spent: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what several tasks took: their times together, the largest of their peaks."""
    peaks = [each["peak_mb"] for each in (spent, more) if each["peak_mb"] is not None]
    times = {
        name: round((spent[name] or 0.0) + (more[name] or 0.0), 3)
        for name in ("seconds", "cpu_seconds")
    }
    return {**times, "peak_mb": max(peaks, default=None)}


def _reason_of(error: Exception) -> str:
    """Return why a territory failed, as what is written with the results may say it.

    A fault of ours is told by its kind and place: its message may hold a row of an input.
    """
    if isinstance(error, QuartHeureError):
        return str(error)
    short = shortage_of(error)
    if short is not None:
        return str(short)
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if "quart_heure" in Path(step.filename).parts]
    step = (own or [*steps])[-1]
    where = "/".join(Path(step.filename).parts[-2:])
    return f"Internal error: {type(error).__name__} in {where}, line {step.lineno}."


def _without_names(reason: str, study: Study | None) -> str:
    """Return a reason that names no discreet place."""
    if study is None:
        return reason
    table = study.services.table
    naming = naming_pattern(table[table["discreet"].astype(bool)])
    if naming is not None and naming.search(reason):
        return "It failed, and the reason names a place that is not shown."
    return reason


# --- memory --------------------------------------------------------------------------------------

_STATUS = Path("/proc/self/status")


def _forget_peak() -> None:
    """Let the peak of memory begin anew, where the system can: the next territory has its own."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float | None:
    """Return the most memory that was resident, None where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return round(int(peak) * 1024 / 1e6, 1)
    return None

"""Workers: a cluster of this machine, or a running one, that works orders out in any order.

A worker that dies costs an attempt of its territory; a scheduler that is lost costs none: it is
waited for, and what was not finished is given to it again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import queue
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from quart_heure.batch.hand import end_hands, run_territory
from quart_heure.batch.onward import Attempt, Course, Waiting
from quart_heure.batch.task import Order, Outcome
from quart_heure.batch.tiles import TileStep
from quart_heure.errors import InputFileError, TryLaterError

_LOOK_S = 0.5
_CONNECT_S = 10.0
_PATIENCE_S = 120.0
"""How long a scheduler that is lost is waited for."""

_NOBODY = "127.0.0.1:0"
"""Where the library's own pages are served, which cannot be left out."""

_IDLE_S = 15.0
"""After this long without a worker, it is said that there is none."""


Finished = Callable[[Mapping[str, Order]], Mapping[str, Mapping[str, Any]]]
"""Returns what manifests keep of the orders that are finished, by the codes of both."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workers:
    """Who works.

    Parameters
    ----------
    scheduler
        Address of a running scheduler of dask; empty for a cluster of this machine.
    count
        Workers of that cluster.
    retries
        Attempts beyond the first, for a territory whose worker dies.
    patience_s
        Seconds that a scheduler which is lost is waited for.
    """

    scheduler: str = ""
    count: int = 1
    retries: int = 2
    patience_s: float = _PATIENCE_S


def carry_out(
    orders: Mapping[str, Order],
    workers: Workers,
    *,
    tell: Callable[[str], None],
    say: Callable[[str], None] = lambda _: None,
    finished: Finished = lambda _: {},
) -> Generator[Attempt]:
    """Have orders carried out, and what follows on them; yield how each territory ended.

    Parameters
    ----------
    orders
        By the codes of their territories.
    workers
        Who works.
    tell, say
        Called with what somebody who waits should know, and with each step of a territory that is
        cut.
    finished
        Returns what manifests keep of the orders that are finished, by their codes: workers that
        have lost their scheduler cannot say so.

    Raises
    ------
    InputFileError
        If the extra is not installed, or the address is none.
    TryLaterError
        If the scheduler does not answer, or is lost and does not come back.
    """
    check_workers()
    with _quiet():
        yield from _carried_out(orders, workers, tell, Course(tell, say), finished)


def _carried_out(
    orders: Mapping[str, Order],
    workers: Workers,
    tell: Callable[[str], None],
    course: Course,
    finished: Finished,
) -> Generator[Attempt]:
    waiting: Waiting = {order.key: (order, 1) for order in orders.values()}
    seen = time.monotonic()
    first = True
    while waiting:
        try:
            with _client(workers) as client:
                first = False
                for attempt in _session(client, waiting, workers, tell):
                    seen = time.monotonic()
                    ended = course.after(attempt, waiting)
                    if ended is not None:
                        yield ended
        except TryLaterError as error:
            if first:
                raise
            if time.monotonic() - seen > workers.patience_s:
                msg = f"The scheduler {workers.scheduler} was lost, and does not come back:"
                left = {order.territory.code for order, _ in waiting.values()}
                msg += f" {len(left)} territories are left."
                raise TryLaterError(msg, hint="The same command goes on from here.") from error
            time.sleep(_LOOK_S)
            continue
        if waiting:
            tell(f"The scheduler {workers.scheduler} was lost: waiting for it.")
            seen = time.monotonic()
            asked = {
                order.territory.code: order
                for order, _ in waiting.values()
                if not isinstance(order.step, TileStep)
            }
            for code, batch in finished(asked).items():
                order, number = waiting.pop(asked[code].key)
                course.forget(code)
                outcome = Outcome(batch=batch)  # it tells what it took
                yield Attempt(order=order, outcome=outcome, number=number)


def check_workers() -> None:
    """Refuse what cannot work, before anything is read.

    Raises
    ------
    InputFileError
        If the extra is not installed.
    """
    try:
        with _quiet():
            import distributed  # noqa: F401, PLC0415 - an extra
            import psutil  # noqa: F401, PLC0415 - the same
    except ImportError as error:
        msg = f"A batch is scheduled by dask, which is not installed ({error})."
        raise InputFileError(msg, hint="Run: pip install 'quart-heure[cluster]'") from error


def _session(
    client: Any,
    waiting: Waiting,
    workers: Workers,
    tell: Callable[[str], None],
) -> Generator[Attempt]:
    """Give all that waits to a scheduler, and take it from the list as it ends.

    What is added to the list meanwhile is given too, what is taken from it is not waited for. It
    ends early where the scheduler is lost.
    """
    ended: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    session = uuid.uuid4().hex[:8]
    open_ones: dict[str, Any] = {}

    def give(key: str) -> None:
        order, number = waiting[key]
        name = f"quart-heure-{session}-{key}-{number}"
        try:
            future = client.submit(run_territory, order, key=name, pure=False)
        except Exception:
            if client.status == "running":
                raise
            return  # its scheduler is lost just now: it goes on waiting
        open_ones[key] = future
        future.add_done_callback(lambda done: ended.put((key, done)))

    given: set[str] = set()
    idle_since: float | None = time.monotonic()
    while True:
        for key in [key for key in waiting if key not in given]:  # they may have become more
            given.add(key)
            give(key)
        for key in [key for key in open_ones if key not in waiting]:  # or fewer
            with contextlib.suppress(Exception):  # it may be lost just now, and they with it
                open_ones.pop(key).cancel()
        if not open_ones:
            return
        try:
            key, future = ended.get(timeout=_LOOK_S)
        except queue.Empty:
            if client.status in {"closed", "closing"}:
                return
            if idle_since is not None and time.monotonic() - idle_since > _IDLE_S:
                idle_since = None
                if not _has_workers(client):
                    tell("The scheduler has no worker yet: waiting for one.")
            continue
        idle_since = None
        if open_ones.pop(key, None) is None:
            continue  # nobody waits for it any more
        order, number = waiting[key]
        outcome = _outcome_of(future)
        if outcome is None:
            continue  # lost with its scheduler: it goes on waiting
        if outcome.again and number <= workers.retries:
            tell(f"{order.label}: tried again. {outcome.reason}")
            waiting[key] = order, number + 1
            give(key)
            continue
        del waiting[key]
        yield Attempt(order=order, outcome=outcome, number=number)


def _outcome_of(future: Any) -> Outcome | None:
    """Return how a task ended; None where nobody knows, since its scheduler was lost."""
    from distributed import KilledWorker  # noqa: PLC0415 - an extra

    if future.status == "finished":
        found: Outcome = future.result()
        return found
    if future.status != "error":
        return None
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Outcome(reason="Every worker that took it died.")
    # The worker could not even begin.
    return Outcome(reason=f"The worker failed: {type(error).__name__}: {error}.")


def _has_workers(client: Any) -> bool:
    with contextlib.suppress(Exception):  # it may be lost just now: that is seen elsewhere
        return bool(client.nthreads())
    return True


@contextlib.contextmanager
def _client(workers: Workers) -> Iterator[Any]:
    """Give a client of the cluster, and end what was started for it."""
    import dask  # noqa: PLC0415 - an extra
    from distributed import Client, LocalCluster  # noqa: PLC0415 - the same

    settings = {
        "distributed.scheduler.allowed-failures": workers.retries,
        "distributed.comm.timeouts.connect": f"{_CONNECT_S:g}s",
        # An order may hold what was found in tiles.
        "distributed.admin.large-graph-warning-threshold": "1TB",
        # Their pages would tell the whole network what is worked out here.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    with dask.config.set(settings), contextlib.ExitStack() as stack:
        if workers.scheduler:
            try:
                client = stack.enter_context(
                    Client(workers.scheduler, timeout=_CONNECT_S, set_as_default=False)
                )
            except ValueError as error:
                msg = f"{workers.scheduler!r} is no address of a scheduler ({error})."
                raise InputFileError(msg, hint="Write it like tcp://10.0.0.1:8786.") from error
            except OSError as error:
                msg = f"No scheduler answers at {workers.scheduler}."
                hint = "Start one with 'dask scheduler', or leave --scheduler out."
                raise TryLaterError(msg, hint=hint) from error
            yield client
            return
        # Threads are enough: each has a process of its own for the work, see `hand`. These end so
        # that the cluster can, and again where one was begun for what it still had to do.
        stack.callback(end_hands)
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=workers.count,
                threads_per_worker=1,
                processes=False,
                memory_limit=0,
                dashboard_address=_NOBODY,
                worker_dashboard_address=_NOBODY,
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
        )
        stack.callback(end_hands)
        yield stack.enter_context(Client(cluster, set_as_default=False))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep messages of the library about its own parts: what matters is told here."""
    names = {"distributed", "distributed.http.proxy", *logging.root.manager.loggerDict}
    theirs = [logging.getLogger(name) for name in names if name.startswith("distributed")]
    levels = [(logger, logger.level) for logger in theirs]
    for logger in theirs:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in levels:
            logger.setLevel(level)

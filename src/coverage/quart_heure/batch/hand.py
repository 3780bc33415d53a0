"""Hands: processes that work territories out, one after another, each within its limits.

A thread of a worker cannot be stopped and shares its memory. So a worker gives its territories to
a process of its own, which keeps what it has loaded, and is ended when a territory takes too long
or too much. It ends by itself when its worker is no more.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

from quart_heure.batch.task import Order, Outcome, work_out
from quart_heure.errors import MemoryShortageError
from quart_heure.network.cores import keep_to
from quart_heure.stamp import tool_version

_LOOK_S = 0.1
"""Between two looks at the memory that a hand takes."""

_MINE = threading.local()
_ALL: set[Hand] = set()


def run_territory(order: Order) -> Outcome:
    """Work a territory out in the hand of this thread of a worker."""
    if order.version != tool_version():
        reason = f"The worker has version {tool_version()}, the batch {order.version}."
        return Outcome(reason=f"{reason} Install the same on all machines.")
    hand = getattr(_MINE, "hand", None)
    if hand is None or not hand.is_alive():
        hand = _MINE.hand = Hand()
    return hand.work_out(order)


def end_hands() -> None:
    """End the hands of this process."""
    for hand in list(_ALL):
        hand.end()


class Hand:
    """A process that works out territories."""

    def __init__(self) -> None:
        # The same modules as here, wherever they were found.
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from quart_heure.batch.hand import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._answers: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        _ALL.add(self)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether it can be given another territory."""
        return self._process.poll() is None

    def work_out(self, order: Order) -> Outcome:
        """Have a territory worked out; of one that passes its limits, the process is ended."""
        began = time.perf_counter()
        peak_mb = 0.0
        try:
            _send(self._process.stdin, order)
        except OSError:
            return self._died(began, peak_mb)
        while True:
            with contextlib.suppress(queue.Empty):
                outcome = self._answers.get(timeout=_LOOK_S)
                return self._died(began, peak_mb) if outcome is None else outcome
            seconds = time.perf_counter() - began
            if order.limit_s is not None and seconds > order.limit_s:
                reason = f"It took more than {order.limit_s:g} s, which is the limit (--timeout)."
                return self._stopped(reason, seconds, peak_mb)
            if order.limit_mb is not None:
                peak_mb = max(peak_mb, self._memory_mb())
                if peak_mb > order.limit_mb:
                    reason = f"It took more than {order.limit_mb:g} MB, the limit (--memory)."
                    return self._stopped(reason, seconds, peak_mb)

    def end(self) -> None:
        """End the process, whatever it is doing."""
        _ALL.discard(self)
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if stream is not None:
                    stream.close()

    def _stopped(self, reason: str, seconds: float, peak_mb: float) -> Outcome:
        self.end()
        return Outcome(reason=reason, seconds=round(seconds, 3), peak_mb=peak_mb or None)

    def _died(self, began: float, peak_mb: float) -> Outcome:
        self.end()
        code = self._process.returncode
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        reason = f"The process that worked it out ended {how}"
        if code == -getattr(signal, "SIGKILL", 9):
            reason += ": somebody killed it, or the machine had no memory left"
        elif code == MemoryShortageError.exit_code:
            reason += ": it had too little memory"
        seconds = round(time.perf_counter() - began, 3)
        return Outcome(reason=f"{reason}.", again=True, seconds=seconds, peak_mb=peak_mb or None)

    def _memory_mb(self) -> float:
        import psutil  # noqa: PLC0415 - comes with the workers

        with contextlib.suppress(psutil.Error):
            return float(psutil.Process(self.pid).memory_info().rss) / 1e6
        return 0.0

    def _listen(self) -> None:
        try:
            while True:
                self._answers.put(_receive(self._process.stdout))
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            self._answers.put(None)


def serve() -> None:
    """Work out what comes on stdin, one after another, and answer on stdout, until it ends."""
    # A Ctrl-C is told to the whole terminal: the command decides what becomes of this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_to(1)  # there are as many hands as the machine is to do at once
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                orders.put(_receive(sys.stdin.buffer))
        except (OSError, EOFError, pickle.UnpicklingError):
            # Nobody waits for an answer: an order that is given again is worked out elsewhere.
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        _send(answers, work_out(orders.get()))


def _send(stream: IO[bytes] | None, value: object) -> None:
    if stream is None:
        raise EOFError
    stream.write(pickle.dumps(value))
    stream.flush()


def _receive(stream: IO[bytes] | None) -> Any:
    if stream is None:
        raise EOFError
    return pickle.load(stream)

"""Pictures as PNG of few colours, made in a thread of its own while the next are drawn."""

from __future__ import annotations

import collections
import concurrent.futures
import io
import types
from concurrent.futures import Future
from typing import Any, Self

_LEVEL = 6
"""Of compression: the seventh takes longer, for files that are hardly smaller."""

_WAITING = 4
"""Pictures that wait, or are being made, at most: each takes a megabyte."""


class PngMaker:
    """Makes pictures in a thread of its own, in the order in which they come.

    Used in a ``with`` statement: the thread ends with it.
    """

    def __init__(self) -> None:
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="png")
        self._waiting: collections.deque[Future[bytes]] = collections.deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def begin(self, image: Any, palette: Any) -> Future[bytes]:
        """Begin with a picture, see `png_of`; what goes wrong is said where its bytes are taken."""
        while len(self._waiting) >= _WAITING:
            concurrent.futures.wait([self._waiting.popleft()])
        begun = self._thread.submit(png_of, image, palette)
        self._waiting.append(begun)
        return begun


def png_of(image: Any, palette: Any = None) -> bytes:
    """Return a picture as PNG of the colours of a palette, or of 64 of its own.

    Parameters
    ----------
    image
        A `PIL.Image.Image` in red, green and blue.
    palette
        See `quart_heure.outputs.dossier.drawing.palette`.
    """
    from PIL import Image  # noqa: PLC0415 - as in drawing

    few = image.quantize(64 if palette is None else 256, palette=palette, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, format="PNG", compress_level=_LEVEL)
    return file.getvalue()

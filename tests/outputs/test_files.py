"""Folders and files that several runs make at the same time."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path

from quart_heure.files import check_folder, replacing


def test_runs_that_try_one_new_folder_do_not_take_it_from_each_other(tmp_path: Path) -> None:
    """What is made to try it is taken away again, perhaps while another makes it."""
    target = tmp_path / "a" / "b" / "file.txt"

    def run(number: int) -> None:
        for _ in range(60):
            check_folder(target.parent)
            with replacing(target) as temporary:
                temporary.write_text(str(number), encoding="utf-8")
            target.unlink(missing_ok=True)
            for folder in (target.parent, target.parent.parent):
                try:
                    folder.rmdir()
                except OSError:
                    break

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        done = [threads.submit(run, number) for number in range(2)]
        for one in done:
            one.result()

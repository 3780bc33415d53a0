"""How runs end where the machine does not play along: streams, signals, memory, names."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.study_files import write_town
from quart_heure import streams
from quart_heure.cache import Cache, Like, checked, default_cache
from quart_heure.cli import main
from quart_heure.errors import MemoryShortageError, OutputError, shortage_of
from quart_heure.file_sets import take_names, work_folder
from quart_heure.files import check_name_to_write, check_target, replacing

unix = pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices of Unix")


@unix
@pytest.mark.parametrize("redirected", [">/dev/full", ">&-"])
def test_results_that_cannot_be_told_end_the_run(redirected: str) -> None:
    run = f"{sys.executable} -m quart_heure --version {redirected}"
    done = subprocess.run(run, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == OutputError.exit_code
    assert done.stderr.startswith("Error: stdout: results cannot be written there (")
    assert len(done.stderr.splitlines()) == 1


@unix
@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-"])
def test_progress_that_cannot_be_told_does_not(redirected: str) -> None:
    run = f"{sys.executable} -m quart_heure report --format pdf {redirected}"
    done = subprocess.run(run, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")


def encoded(text: str, encoding: str) -> bytes:
    streams.codecs.register_error("quart-heure", streams._by_others)
    return text.encode(encoding, "quart-heure")


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("8\u202f535 habitants", "cp1252", b"8 535 habitants"),
        ("l’été → 5", "ascii", b"l'\\u00e9t\\u00e9 -> 5"),
        ("\U0001f6bf", "latin-1", b"\\ud83d\\udebf"),
        ("b\udcff", "utf-8", b"b\xff"),
    ],
)
def test_signs_that_an_encoding_lacks_are_written_by_others(
    text: str, encoding: str, written: bytes
) -> None:
    assert encoded(text, encoding) == written


@unix
def test_a_run_that_is_stopped_says_so_and_clears_up(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from quart_heure import cli\n"
        "from quart_heure.file_sets import work_folder\n"
        # A suite in the background is started without it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def stopped():\n"
        "    with work_folder(Path(sys.argv[1])):\n"
        "        os.kill(os.getpid(), getattr(signal, sys.argv[2]))\n"
        "cli.main = stopped\n"
        "cli.run()\n"
    )
    for name, code in (("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "out"), name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (code, "Stopped: no file is left half written.\n")
        assert not (tmp_path / "out").exists()


@unix
def test_no_signal_comes_between_files_that_belong_together(tmp_path: Path) -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with streams.undivided():
            signal.raise_signal(signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


@unix
def test_what_a_killed_run_left_goes_at_once_and_what_is_at_work_stays(tmp_path: Path) -> None:
    with work_folder(tmp_path) as work:
        (work / "a").write_text("new")
        (tmp_path / ".quart-heure-link").symlink_to("nothing")
        dead = tmp_path / ".quart-heure-dead"
        dead.mkdir()
        (dead / ".lock").touch()  # nobody holds it
        with work_folder(tmp_path):
            assert work.is_dir()
            assert not dead.exists()
        take_names(work, tmp_path, ["a"], gone=["b"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".quart-heure-link", "a"]


@unix
def test_a_link_is_followed_and_a_pipe_written_to(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to("target")
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="nobody reads"), replacing(pipe) as temporary:
        temporary.write_text("new")
    # One open file that reads, so that nothing waits: what is written lies in the pipe.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(pipe) as temporary:
            temporary.write_text("new")
        assert os.read(reader, 100) == b"new"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@unix
def test_an_open_stream_goes_on_where_it_is(tmp_path: Path) -> None:
    with (tmp_path / "all").open("wb") as file:
        file.write(b"before\n")
        file.flush()
        name = Path(f"/dev/fd/{file.fileno()}")
        check_target(name)
        with replacing(name) as temporary:
            temporary.write_text("after\n")
    assert (tmp_path / "all").read_text() == "before\nafter\n"


@unix
def test_a_full_device_is_still_a_device() -> None:
    with pytest.raises(OutputError, match="No space left"), replacing(Path("/dev/full")) as file:
        file.write_text("x")
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5_000, "a\0b", "file/below", "loop"])
def test_names_under_which_nothing_can_be_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="cannot be written") as caught:
        check_name_to_write(tmp_path / name)
    # Whole where there may be such a path, for that is what has to be mended; else cut.
    told = str(tmp_path / name).replace("\0", "\\0")
    assert (f"{told}: cannot be written (" in str(caught.value)) == (len(told) <= 400)
    assert len(str(caught.value)) < 500


def test_an_empty_name_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = write_town(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    for arguments in (["analyse", str(study), "-o", ""], ["report", ""], ["report", "--since="]):
        assert main(arguments) == 2
        assert "an empty name" in " ".join(capsys.readouterr().err.split())
    assert sorted(tmp_path.iterdir()) == before


def test_a_limit_in_which_nothing_can_be_loaded_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource = pytest.importorskip("resource")
    streams.check_room()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100_000_000, 100_000_000))
    with pytest.raises(MemoryShortageError, match="There are 100 MB of memory"):
        streams.check_room()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        ImportError("x.so: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_said(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("reading") from error

    assert isinstance(shortage_of(error), MemoryShortageError)
    monkeypatch.setattr("quart_heure.commands.app.command_for", lambda _: fail)
    assert main(["info"]) == MemoryShortageError.exit_code
    assert capsys.readouterr().err.startswith("Error: There is too little memory")
    assert shortage_of(RuntimeError("another")) is None


def test_the_home_folder_is_known_in_the_name_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere/somebody")
    monkeypatch.setenv("QUART_HEURE_CACHE", "~/kept")
    assert default_cache().folder == Path("/nowhere/somebody/kept")


def test_an_entry_that_other_code_stored_is_computed_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import numpy as np  # noqa: PLC0415

    cache = Cache(tmp_path)
    good = {"offsets": np.array([0, 2]), "place": np.array([1, 3])}
    like = {"offsets": Like("i", parts_of="place"), "place": Like("i", below=4)}
    wrong = [
        {"place": good["place"]},
        {**good, "more": good["place"]},
        {**good, "place": np.array(1)},
        {**good, "place": np.array([1.0, 3.0])},
        {**good, "place": np.array([1, 4])},
        {**good, "place": np.array([-1, 3])},
        {**good, "offsets": np.array([0, 3])},
        {**good, "offsets": np.array([1, 2])},
    ]
    for number, arrays in enumerate(wrong):
        with pytest.raises(ValueError, match=r"today"):
            checked(arrays, **like)
        cache.recall("reach", number, lambda arrays=arrays: arrays)
        caplog.clear()
        read = cache.recall_as("reach", number, lambda: good, lambda one: checked(one, **like))
        assert read["place"].tolist() == [1, 3]
        assert "computed anew" in caplog.text
        caplog.clear()
        cache.recall_as("reach", number, lambda: good, lambda one: checked(one, **like))
        assert not caplog.text


def test_streams_of_no_file_are_let_alone() -> None:
    held = io.StringIO()
    assert streams._guarded(held, 1, streams._Results) is held

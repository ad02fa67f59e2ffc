"""Files are whole or not there, and nobody writes into another's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamseg import atomic
from streamseg.atomic import AtomicFile, AtomicFolder, replacing, write_new, write_whole
from streamseg.errors import SinkError
from streamseg.sinks import MaskFolderSink, PictureFolderSink, Sink, StatisticsSink, VideoFileSink
from tests.streamseg.sinks.recordings import CLASSES, info_of, result, unpainted

_HOLDS = """
import sys
from pathlib import Path
from streamseg.atomic import AtomicFile
file = AtomicFile(Path(sys.argv[1]), overwrite=True)
file.partial.write_bytes(b"half")
print("holds", flush=True)
sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    """All that is in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def sink_at(name: str, path: Path) -> Sink:
    """One of the sinks that write to a place."""
    if name == "masks":
        return MaskFolderSink(path, overwrite=True)
    if name == "pictures":
        return PictureFolderSink(path, info_of(), unpainted(), overwrite=True)
    if name.endswith(".csv"):
        return StatisticsSink(path, CLASSES, overwrite=True)
    return VideoFileSink(path, info_of(), unpainted(), overwrite=True)


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "stats.csv", "masks", "pictures"])
def test_a_second_run_to_one_output_is_refused_in_one_line_and_harms_nothing(tmp_path: Path, name: str) -> None:
    """It ends before its first frame; the first one goes on, and after it the place is free."""
    first = sink_at(name, tmp_path / name)
    first.write(result(0, 0))
    with pytest.raises(
        SinkError, match=rf"cannot write '.*{name}': another run is writing there; let it end"
    ) as caught:
        sink_at(name, tmp_path / name)
    assert "\n" not in str(caught.value)
    first.write(result(1, 1))
    first.close("complete")
    assert names(tmp_path) == [name]
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    again = sink_at(name, tmp_path / name)
    again.close("cut")


def test_another_process_is_refused_too_and_what_it_leaves_when_killed_is_no_hindrance(tmp_path: Path) -> None:
    """As two terminals would; the system lets go of the lock of a process that is gone."""
    path = tmp_path / "out.bin"
    command = [sys.executable, "-c", _HOLDS, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "holds\n"
        with pytest.raises(SinkError, match="another run is writing there"):
            AtomicFile(path, overwrite=True)
        assert (tmp_path / "out.partial.bin").read_bytes() == b"half"
        other.kill()
    file = AtomicFile(path, overwrite=True)
    assert not file.partial.exists()
    file.partial.write_bytes(b"whole")
    file.commit()
    assert names(tmp_path) == ["out.bin", "out.partial.bin"]
    assert (tmp_path / "out.partial.bin").read_bytes() == b"half"  # it may be all there is of a recording


def test_a_file_that_was_forgotten_does_not_keep_others_away(tmp_path: Path) -> None:
    """As after an error between opening and writing."""
    AtomicFile(tmp_path / "out.bin", overwrite=True)
    AtomicFile(tmp_path / "out.bin", overwrite=True).discard()
    assert names(tmp_path) == []


def test_writers_of_small_files_wait_for_each_other_and_each_file_is_whole(tmp_path: Path) -> None:
    """Two trainings that draw one picture, or two first runs that keep one trial."""
    path = tmp_path / "sheet.bin"
    contents = [bytes([number]) * 100_000 for number in range(6)]
    inside = threading.Semaphore(1)
    alone: list[bool] = []

    def write(content: bytes) -> None:
        with replacing(path) as part:
            alone.append(inside.acquire(blocking=False))
            part.write_bytes(content)
            inside.release()

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone == [True] * len(contents)
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["sheet.bin"]


def test_what_is_raised_while_replacing_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "state.npz"
    write_whole(path, b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["state.npz"]


def test_a_file_is_on_the_disk_before_its_name_and_its_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power cut could leave an empty file under a good name."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("folder" if os.path.samestat(os.fstat(descriptor), tmp_path.stat()) else "file")
        fsync(descriptor)

    def noted_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(path, target)

    monkeypatch.setattr(atomic.os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write_whole(tmp_path / "a.json", b"{}")
    assert steps == ["file", "rename", "folder"]


def test_what_another_program_put_there_meanwhile_is_kept_beside_the_result(tmp_path: Path) -> None:
    """Nothing that somebody recorded is replaced, and the recording is not lost either: its place says where it is."""
    sink = VideoFileSink(tmp_path / "out.mp4", info_of(), unpainted())
    sink.write(result(0, 0))
    (tmp_path / "out.mp4").write_bytes(b"precious")
    sink.close("complete")
    assert (tmp_path / "out.mp4").read_bytes() == b"precious"
    assert names(tmp_path) == ["out.mp4", "out_2.mp4"]
    assert sink.place == str(tmp_path / "out_2.mp4")


@pytest.mark.parametrize("hard_links", [True, False])
def test_new_files_get_a_number_where_their_name_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    """Also on file systems without hard links."""
    if not hard_links:

        def refused(*_: object) -> None:
            raise PermissionError("no hard links here")

        monkeypatch.setattr(atomic.os, "link", refused)
    assert [write_new(tmp_path / "s.png", bytes([n])).name for n in range(3)] == ["s.png", "s_2.png", "s_3.png"]
    assert [(tmp_path / name).read_bytes() for name in ("s.png", "s_2.png", "s_3.png")] == [b"\0", b"\1", b"\2"]
    assert len(names(tmp_path)) == 3


def test_where_there_are_no_locks_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have none."""

    def unknown(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(atomic, "_try_lock", unknown)
    write_whole(tmp_path / "a.json", b"{}")
    file = AtomicFile(tmp_path / "b.bin", overwrite=False)
    file.partial.write_bytes(b"b")
    file.commit()
    assert names(tmp_path) == ["a.json", "b.bin"]


def test_a_folder_keeps_what_was_written_and_lets_the_next_run_in(tmp_path: Path) -> None:
    """Each file is there as soon as it is written."""
    folder = AtomicFolder(tmp_path / "deep" / "down")
    folder.write("a.png", b"a")
    with pytest.raises(SinkError, match="another run is writing there"):
        AtomicFolder(tmp_path / "deep" / "down")
    assert (tmp_path / "deep" / "down" / "a.png").read_bytes() == b"a"
    folder.close()
    AtomicFolder(tmp_path / "deep" / "down").close()
    assert names(tmp_path / "deep" / "down") == ["a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_refused_without_a_look_into_it(tmp_path: Path) -> None:
    """A pipe would wait for its writer, and a device such as /dev/full gives zeros without end."""
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(SinkError, match="never replaced"):
        AtomicFile(tmp_path / "out.csv", overwrite=True, ours=lambda path: pytest.fail(f"{path} was looked into"))

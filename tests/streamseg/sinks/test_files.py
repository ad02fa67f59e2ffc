"""A file is complete or not at its final name, whatever goes wrong."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg.atomic import is_part
from streamseg.errors import SinkError
from streamseg.sinks import GifFileSink, MaskFolderSink, PictureFolderSink, Sink, StatisticsSink, VideoFileSink
from tests.streamseg.sinks.recordings import CLASSES, info_of, noise, record, result, unpainted

FILES: dict[str, Callable[[Path, bool], Sink]] = {
    "out.mp4": lambda path, overwrite: VideoFileSink(path, info_of(), unpainted(), overwrite=overwrite),
    "out.mkv": lambda path, overwrite: VideoFileSink(path, info_of(), unpainted(), overwrite=overwrite),
    "out.webm": lambda path, overwrite: VideoFileSink(path, info_of(), unpainted(), overwrite=overwrite),
    "out.gif": lambda path, overwrite: GifFileSink(path, info_of(), unpainted(), overwrite=overwrite),
    "out.csv": lambda path, overwrite: StatisticsSink(path, CLASSES, overwrite=overwrite),
    "out.jsonl": lambda path, overwrite: StatisticsSink(path, CLASSES, overwrite=overwrite),
}
FOLDERS: dict[str, Callable[[Path, bool], Sink]] = {
    "pictures": lambda path, overwrite: PictureFolderSink(path, info_of(), unpainted(), overwrite=overwrite),
    "masks": lambda path, overwrite: MaskFolderSink(path, overwrite=overwrite),
}
ALL = {**FILES, **FOLDERS}
VIDEOS = ("out.mp4", "out.mkv", "out.webm")
LINES = ("out.csv", "out.jsonl")
_ROOM = 128 * 1024  # bytes on the tiny disk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "none", folder], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("a small file system cannot be mounted here (that takes root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("name", FILES)
def test_file_has_its_name_only_when_complete(tmp_path: Path, name: str) -> None:
    """Until `close` the name says that it is a part, in sight and with a suffix that players know; then it is gone."""
    sink = FILES[name](tmp_path / name, False)
    sink.write(result(0, 0))
    assert not (tmp_path / name).exists()
    seen = [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert seen in ([], [(tmp_path / name).with_stem("out.partial").name])
    sink.close("complete")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert sink.place == str(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
def test_stopped_run_leaves_a_finished_file(tmp_path: Path, name: str) -> None:
    """Ctrl-C keeps what was done by then."""
    record(FILES[name](tmp_path / name, False), range(3), "cut")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FILES)
def test_failed_run_leaves_what_was_written_under_a_name_that_says_so(tmp_path: Path, name: str) -> None:
    """It may be an hour of film that nobody can record again."""
    sink = FILES[name](tmp_path / name, False)
    record(sink, range(3), "failed")
    (left,) = tmp_path.iterdir()
    assert left == (tmp_path / name).with_stem("out.partial")
    assert sink.place == str(left)
    assert left.stat().st_size > 0


@pytest.mark.parametrize("outcome", ["complete", "cut", "broken", "failed"])
@pytest.mark.parametrize("name", FILES)
def test_run_without_frames_leaves_nothing(tmp_path: Path, name: str, outcome: str) -> None:
    """An empty video would be a broken file."""
    record(FILES[name](tmp_path / name, False), [], outcome)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_existing_result_is_kept_unless_told_otherwise(tmp_path: Path, name: str) -> None:
    """The refusal comes before any work is done, and names the option."""
    path = tmp_path / name
    record(FILES[name](path, False), range(1))
    before = path.read_bytes()
    with pytest.raises(SinkError, match=r"already exists; choose another name or add `overwrite=True`"):
        FILES[name](path, False)
    assert path.read_bytes() == before
    record(FILES[name](path, True), range(2))
    assert path.read_bytes() != before


def a_recording_of(name: str, path: Path) -> None:
    """A good file of the kind, as another program writes it."""
    if path.suffix in (".csv", ".jsonl"):
        path.write_text('{"index": 0, "speed": 3}\n' if path.suffix == ".jsonl" else "index,speed\n0,3\n")
        return
    with av.open(str(path), "w") as container:
        codec = {".gif": ("gif", "rgb8"), ".webm": ("libvpx-vp9", "yuv420p")}.get(path.suffix, ("libx264", "yuv420p"))
        stream = container.add_stream(codec[0], rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, codec[1]
        container.metadata["comment"] = "not by streamseg "
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("content", ["precious", "", "recording"])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_what_streamseg_did_not_write_is_never_replaced(
    tmp_path: Path, name: str, overwrite: bool, content: str
) -> None:
    """Whether it can be read or not, with overwriting or without; and the message does not advise to overwrite."""
    path = tmp_path / name
    path.write_text(content)
    if content == "recording":
        a_recording_of(name, path)
    before = path.read_bytes()
    with pytest.raises(
        SinkError, match="was not written by streamseg, so it is never replaced; choose another"
    ) as said:
        FILES[name](path, overwrite)
    assert "overwrite" not in str(said.value)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FILES)
def test_what_another_program_puts_there_meanwhile_is_never_replaced_either(tmp_path: Path, name: str) -> None:
    """Also with overwriting, which was meant for the result that was there at the beginning."""
    path = tmp_path / name
    record(FILES[name](path, False), range(1))
    sink = FILES[name](path, True)
    sink.write(result(0, 0))
    path.write_bytes(b"precious")
    sink.close("complete")
    assert path.read_bytes() == b"precious"
    assert sink.place == str(path.with_stem("out_2"))


@pytest.mark.parametrize("outcome", ["failed", "broken"])
@pytest.mark.parametrize("name", FILES)
def test_a_run_that_breaks_keeps_the_file_it_would_have_replaced(tmp_path: Path, name: str, outcome: str) -> None:
    """--overwrite replaces a good file with a good file only; what was written by then has a name that says so."""
    path = tmp_path / name
    record(FILES[name](path, False), range(1))
    before = path.read_bytes()
    for _ in range(2):
        sink = FILES[name](path, True)
        record(sink, range(2), outcome)
        assert path.read_bytes() == before
    partial = [path.with_stem("out.partial").name, path.with_stem("out.partial_2").name]
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, *partial])
    assert sink.place == str(path.with_stem("out.partial_2"))


@pytest.mark.parametrize("name", FILES)
def test_a_run_that_breaks_has_its_own_name_where_nothing_is_replaced(tmp_path: Path, name: str) -> None:
    """What could be recorded is the result."""
    record(FILES[name](tmp_path / name, True), range(2), "broken")
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FILES)
def test_a_run_that_a_person_stopped_replaces_what_was_there(tmp_path: Path, name: str) -> None:
    """They have seen what they wanted, and asked for it to be there."""
    path = tmp_path / name
    record(FILES[name](path, False), range(1))
    before = path.read_bytes()
    record(FILES[name](path, True), range(2), "cut")
    assert path.read_bytes() != before
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FILES)
def test_leftover_of_a_killed_run_does_no_harm(tmp_path: Path, name: str) -> None:
    """It is neither taken for a result nor in the way, and stays: it may be all there is of a recording."""
    left = (tmp_path / name).with_stem("out.partial")
    left.write_bytes(b"half")
    (tmp_path / f".part-{name}").write_bytes(b"half of a copy")
    record(FILES[name](tmp_path / name, False), range(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, left.name])
    assert left.read_bytes() == b"half"


@pytest.mark.parametrize("name", FILES)
def test_missing_folder_is_named(tmp_path: Path, name: str) -> None:
    """A misspelt path is not turned into a folder."""
    with pytest.raises(SinkError, match=r"there is no folder '.*gone'; make it first"):
        FILES[name](tmp_path / "gone" / name, False)


@pytest.mark.parametrize("name", FILES)
def test_folder_in_place_of_the_file_is_refused(tmp_path: Path, name: str) -> None:
    """Also with overwriting: a folder is never replaced."""
    (tmp_path / name).mkdir()
    with pytest.raises(SinkError, match="it is a folder; name a file"):
        FILES[name](tmp_path / name, True)


@pytest.mark.parametrize("name", ALL)
def test_unwritable_folder_is_refused_at_once(tmp_path: Path, name: str) -> None:
    """The user hears of it before the first frame is decoded."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        locked = Path("/proc")  # root may write anywhere but here
    with pytest.raises(SinkError, match=r"^cannot write '.*': .+$"):
        ALL[name](locked / name, False)


@pytest.mark.parametrize("name", ALL)
def test_full_disk_is_one_line_and_what_fitted_is_kept(tiny_disk: Path, name: str) -> None:
    """Whether it runs full at a frame or at the end, the error says so, and what was written by then can be used."""
    if name in LINES:  # a frame is some bytes there, and takes as long as any other
        (tiny_disk / "filler").write_bytes(bytes(_ROOM - 8192))
    sink = ALL[name](tiny_disk / name, False)
    with pytest.raises(SinkError, match=r"^cannot write '.*there is no space left; free some or write elsewhere$"):
        _write_until_it_fails(sink)
    sink.close("failed")
    left = [path for path in tiny_disk.rglob("*") if path.is_file() and path.name != "filler"]
    assert left
    assert all(path.parent.name in FOLDERS or is_part(path) for path in left)
    assert not [path for path in left if path.name.startswith(".")]
    if name in VIDEOS:
        assert 3 < shown(left[0]) < 60  # as many as fit, but for half a second


def shown(path: Path) -> int:
    """How many pictures of a video can be decoded, without a word of damage."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert not any(frame.is_corrupt for frame in frames)
    return len(frames)


def _write_until_it_fails(sink: Sink) -> None:
    for index in range(5000):
        sink.write(result(index, index, size=(96, 128)))
    sink.close("complete")


@pytest.mark.parametrize("room", [0, 4096, 8192])
@pytest.mark.parametrize("name", VIDEOS)
def test_disk_that_runs_full_at_the_very_end_costs_the_last_half_second(tiny_disk: Path, name: str, room: int) -> None:
    """Index and last packets are written in `close`; an error there is an error too, and what is there plays."""
    path = tiny_disk / name
    sink = FILES[name](path, False)
    for index in range(30):
        sink.write(result(index, index))
    written = sum(each.stat().st_size for each in tiny_disk.iterdir())
    filler = tiny_disk / "filler"
    filler.write_bytes(bytes(_ROOM - (written // 4096 + 1) * 4096 - room))
    with pytest.raises(SinkError, match="no space left"):
        sink.close("complete")
    filler.unlink()
    (left,) = tiny_disk.iterdir()
    assert sink.place == str(left) == str(path.with_stem("out.partial"))
    assert shown(left) >= 30 - 15


@pytest.mark.parametrize("room", [16 * 1024, 64 * 1024])
def test_an_index_that_cannot_be_brought_to_the_front_stays_at_the_end(tiny_disk: Path, room: int) -> None:
    """That takes as much room again for a moment; the file is whole without, has its name, and a note says so."""
    sink = VideoFileSink(tiny_disk / "out.mp4", info_of(), unpainted())
    for index in range(30):
        sink.write(result(index, index))
    written = sum(each.stat().st_size for each in tiny_disk.iterdir())
    (tiny_disk / "filler").write_bytes(bytes(max(0, _ROOM - (written // 4096 + 1) * 4096 - room)))
    sink.close("complete")
    assert sorted(each.name for each in tiny_disk.iterdir()) == ["filler", "out.mp4"]
    assert shown(tiny_disk / "out.mp4") == 30
    (note,) = sink.notes
    assert "the index is at the end of the file" in note


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.csv"])
def test_file_size_limit_is_one_line_and_what_fitted_is_kept(tmp_path: Path, name: str) -> None:
    """As set by `ulimit -f`, or met on FAT disks at 4 GB."""
    most = 4_000 if name in LINES else 200_000  # bytes: some lines, or some pictures of noise
    script = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        "from pathlib import Path\n"
        "from tests.streamseg.sinks.test_files import FILES, _write_until_it_fails\n"
        "from streamseg.errors import SinkError\n"
        f"sink = FILES[{name!r}](Path({str(tmp_path / name)!r}), False)\n"
        "try: _write_until_it_fails(sink)\n"
        "except SinkError as error: print(error)\n"
        "sink.close('failed')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "grew past the largest file allowed there" in done.stdout, done.stderr
    assert done.stdout.count("\n") == 1
    (left,) = tmp_path.iterdir()
    assert is_part(left)
    assert name not in VIDEOS or shown(left) > 3


def test_output_over_its_own_source_is_refused(tmp_path: Path) -> None:
    """By whatever name, and also with overwriting: the source would be gone."""
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"video")
    (tmp_path / "link.mp4").symlink_to(source)
    info = info_of()
    for name in ("clip.mp4", "link.mp4", "../" + tmp_path.name + "/clip.mp4"):
        with pytest.raises(SinkError, match="is the source itself; choose another name for the output"):
            VideoFileSink(tmp_path / name, _at(info, source), unpainted(), overwrite=True)


def test_pictures_over_their_own_source_are_refused(tmp_path: Path) -> None:
    """Overlays may not replace the pictures they were made from."""
    info = _at(info_of(), tmp_path, kind="pictures")
    with pytest.raises(SinkError, match="is the source itself"):
        PictureFolderSink(tmp_path, info, unpainted(), overwrite=True)


def _at(info: object, path: Path, **fields: object) -> object:
    from dataclasses import replace

    return replace(info, address=str(path), **fields)  # type: ignore[type-var]


def test_noise_differs_by_seed() -> None:
    """The helper's frames are really different, or the tests above would fill no disk."""
    assert not np.array_equal(noise(0).y, noise(1).y)

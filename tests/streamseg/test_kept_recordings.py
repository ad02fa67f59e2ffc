"""What breaks in a run costs what broke, never the recordings beside it."""

from __future__ import annotations

import csv
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streamseg.errors import ModelError, SinkError, SourceError
from streamseg.frame import Frame
from streamseg.pipeline import Pipeline
from streamseg.segmentation import Segmentation
from streamseg.sinks import MaskFolderSink, SegmentedVideoSink, Sink, StatisticsSink, VideoFileSink
from streamseg.sources.base import Source
from tests.streamseg.sinks.recordings import CLASSES, info_of, noise, pictures, result, stored, unpainted

_FRAMES = 8
_FAULT_AT = 5  # the frame at which something breaks; those before it are what can be kept


class Clip(Source):
    """Eight frames of noise, as a decoder would give them; `then` is called before each, with its index."""

    def __init__(self, then: Callable[[int], object] = lambda _: None) -> None:
        self.info = info_of()
        self._then = then
        self._next = 0

    def read(self) -> Frame | None:
        index, self._next = self._next, self._next + 1
        if index == _FRAMES:
            return None
        self._then(index)
        return Frame(index, index / 25, noise(index), pts=index)


def segment(frame: Frame) -> Segmentation:
    """Half road, half sky."""
    return Segmentation(frame, result().labels, CLASSES)


class Faulty(Sink):
    """Raises in one of its methods; `outcomes` are what it was closed with."""

    def __init__(self, method: str, at: int = _FAULT_AT) -> None:
        self.outcomes: list[str] = []
        self._method = method
        self._at = at
        self._seen = -1

    def write(self, segmentation: Segmentation) -> None:
        self._seen = segmentation.frame.index
        self._fail("write", self._seen == self._at)

    def idle(self) -> None:
        self._fail("idle", self._seen == self._at - 1)

    def close(self, outcome: str) -> None:
        self.outcomes.append(outcome)
        self._fail("close", True)

    def _fail(self, method: str, due: bool) -> None:
        if due and method == self._method:
            raise SinkError(f"no more {method}")


def video(path: Path) -> VideoFileSink:
    """A recording."""
    return VideoFileSink(path, info_of(), unpainted())


def names(folder: Path) -> list[str]:
    """All that is in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("first", [True, False], ids=["before it", "behind it"])
def test_a_sink_that_fails_in_write_leaves_the_video_beside_it(tmp_path: Path, first: bool) -> None:
    """The video ends where the fault was, plays, and is named as a part; the error names it, whichever comes first."""
    good, bad = video(tmp_path / "out.mp4"), Faulty("write")
    pipeline = Pipeline(Clip(), segment, [good, bad] if first else [bad, good])
    with pytest.raises(SinkError, match="no more write") as caught:
        pipeline.run()
    assert names(tmp_path) == ["out.partial.mp4"]
    assert len(pictures(tmp_path / "out.partial.mp4")) == _FAULT_AT + first
    assert caught.value.__notes__ == [f"kept with what was written by then: {tmp_path / 'out.partial.mp4'}"]
    assert bad.outcomes == ["failed"]
    assert pipeline.report.outcome == "failed"


@pytest.mark.parametrize("first", [True, False], ids=["before it", "behind it"])
def test_a_sink_that_fails_in_close_leaves_a_complete_video(tmp_path: Path, first: bool) -> None:
    """How the run ended was decided before: the other recording is closed as complete, whether before or after."""
    good, bad = video(tmp_path / "out.mp4"), Faulty("close")
    with pytest.raises(SinkError, match="no more close") as caught:
        Pipeline(Clip(), segment, [good, bad] if first else [bad, good]).run()
    assert len(stored(tmp_path / "out.mp4")) == _FRAMES
    assert bad.outcomes == ["complete"]
    assert str(tmp_path / "out.mp4") in caught.value.__notes__[0]


def test_a_sink_that_fails_while_nothing_comes_leaves_the_video_beside_it(tmp_path: Path) -> None:
    """As a window whose display went away while a camera was lost."""
    good, bad = video(tmp_path / "out.mp4"), Faulty("idle", at=1)

    class Silent(Clip):
        """One frame, and nothing until it is closed."""

        def __init__(self) -> None:
            super().__init__()
            self._closed = threading.Event()

        def read(self) -> Frame | None:
            if self._next:
                self._closed.wait()
                return None
            return super().read()

        def close(self) -> None:
            self._closed.set()

    with pytest.raises(SinkError, match="no more idle"):
        Pipeline(Silent(), segment, [good, bad]).run()
    assert len(pictures(tmp_path / "out.partial.mp4")) == 1
    assert bad.outcomes == ["failed"]


def test_a_mask_folder_that_can_no_longer_be_written_leaves_video_and_statistics(tmp_path: Path) -> None:
    """The run goes on to its end without; masks stay too, each is complete; the line says what is there."""
    masks = MaskFolderSink(tmp_path / "masks")

    class Vanishing(Sink):
        """Puts a file in the place of the folder, where even root cannot write a mask then."""

        def write(self, segmentation: Segmentation) -> None:
            if segmentation.frame.index == _FAULT_AT:
                (tmp_path / "masks").rename(tmp_path / "moved")
                (tmp_path / "masks").write_bytes(b"")

    sinks = [video(tmp_path / "out.mp4"), StatisticsSink(tmp_path / "stats.csv", CLASSES), Vanishing(), masks]
    told: list[str] = []
    pipeline = Pipeline(Clip(), segment, sinks, on_fault=lambda error: told.append(str(error)))
    with pytest.raises(SinkError, match=r"cannot write '.*masks/000005.png'") as caught:
        pipeline.run()
    assert told == [str(caught.value)]  # once, when it happened
    assert pipeline.report.outcome == "complete"
    assert len(pictures(tmp_path / "out.mp4")) == _FRAMES
    with (tmp_path / "stats.csv").open() as file:
        assert [row["index"] for row in csv.DictReader(file)] == [str(n) for n in range(_FRAMES)]
    assert [name for name in names(tmp_path / "moved") if name != ".lock"] == [f"{n:06d}.png" for n in range(_FAULT_AT)]
    assert not [name for name in names(tmp_path) if name.startswith(".")]
    assert caught.value.__notes__[0].endswith(", ".join(str(tmp_path / n) for n in ("out.mp4", "stats.csv", "masks")))


def test_statistics_that_cannot_be_finished_leave_the_video(tmp_path: Path) -> None:
    """Their file was removed while it was written; the video is complete, as it was not cut."""

    def remove(index: int) -> None:
        if index == _FAULT_AT:
            for path in tmp_path.glob("stats.partial*"):
                path.unlink()

    sinks = [StatisticsSink(tmp_path / "stats.csv", CLASSES), video(tmp_path / "out.mp4")]
    with pytest.raises(SinkError, match=r"cannot write '.*stats.csv' after 8 frames"):
        Pipeline(Clip(remove), segment, sinks).run()
    assert names(tmp_path) == ["out.mp4"]
    assert len(pictures(tmp_path / "out.mp4")) == _FRAMES


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that is full after a page of 4096 bytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4096", "none", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here (that takes root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_statistics_on_a_full_disk_leave_the_video(tmp_path: Path, full_disk: Path) -> None:
    """The exit code is that of an output, the line says what happened and what is kept."""
    classes = [type(CLASSES[0])(n, f"a class with a long name, number {n}", (0, 0, n)) for n in range(200)]

    def labelled(frame: Frame) -> Segmentation:
        return Segmentation(frame, result().labels, tuple(classes))

    sinks = [video(tmp_path / "out.mp4"), StatisticsSink(full_disk / "stats.jsonl", classes)]
    with pytest.raises(SinkError, match="no space left") as caught:
        Pipeline(Clip(), labelled, sinks).run()
    assert caught.value.exit_code == 5
    assert names(full_disk) == []
    assert pictures(tmp_path / "out.mp4")
    assert str(tmp_path / "out.mp4") in caught.value.__notes__[0]


def test_a_network_that_fails_leaves_what_was_recorded_before(tmp_path: Path) -> None:
    """A GPU that is lost after an hour costs no hour of recording; the caller gets the network's own error."""

    def failing(frame: Frame) -> Segmentation:
        if frame.index == _FAULT_AT:
            raise ModelError("the GPU is gone")
        return segment(frame)

    pipeline = Pipeline(Clip(), failing, [video(tmp_path / "out.mp4")])
    with pytest.raises(ModelError, match="the GPU is gone"):
        pipeline.run()
    # those on the way to the sink when it happened are lost, and none may have got there yet
    kept = pictures(tmp_path / "out.partial.mp4") if (tmp_path / "out.partial.mp4").exists() else []
    assert len(kept) == pipeline.report.frames_out <= _FAULT_AT
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_a_run_that_breaks_while_overwriting_keeps_the_old_recording(tmp_path: Path) -> None:
    """What was written by then is beside it, under a name that says so, and the error names that."""
    Pipeline(Clip(), segment, [video(tmp_path / "out.mp4")]).run()
    before = (tmp_path / "out.mp4").read_bytes()

    def broken(index: int) -> None:
        if index == _FAULT_AT:
            raise SourceError("the share is gone")

    again = VideoFileSink(tmp_path / "out.mp4", info_of(), unpainted(), overwrite=True)
    with pytest.raises(SourceError, match="the share is gone"):
        Pipeline(Clip(broken), segment, [again]).run()
    assert (tmp_path / "out.mp4").read_bytes() == before
    assert names(tmp_path) == ["out.mp4", "out.partial.mp4"]
    assert len(pictures(tmp_path / "out.partial.mp4")) == _FAULT_AT
    assert again.place == str(tmp_path / "out.partial.mp4")


def test_the_segment_that_is_written_outlives_one_that_could_not_be_finished(tmp_path: Path) -> None:
    """They are files of their own: what befell the one before does not make this one bad."""
    second = (datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(10_000))
    info = info_of(live=True, time_base=None)
    sink = SegmentedVideoSink(tmp_path / "out.mkv", info, unpainted(), length_s=0.1, now=lambda: next(second))
    for index in range(3):
        sink.write(result(index))
    (first,) = tmp_path.glob(".part-out_20260501-000000*")  # hidden, as it has begun just now
    first.unlink()  # so that it cannot be finished
    with pytest.raises(SinkError, match="cannot write"):
        for index in range(3, 10_000):  # until the thread that finishes files has got to it
            sink.write(result(index))
    sink.close("failed")
    assert sum(len(stored(path)) for path in tmp_path.iterdir()) == index - 3  # but for those of the first
    assert sink.place == str(tmp_path / "out_*.mkv")


def test_a_sink_that_left_nothing_names_no_place(tmp_path: Path) -> None:
    """The closing line never points at a file that is not there."""
    for sink in (
        video(tmp_path / "out.mp4"),
        StatisticsSink(tmp_path / "stats.csv", CLASSES),
        MaskFolderSink(tmp_path / "masks"),
    ):
        assert sink.place is not None
        sink.close("cut")
        assert sink.place is None


def test_the_command_line_says_in_its_one_line_what_is_kept(streamseg, clip, model, tmp_path: Path) -> None:
    """A picture of somebody is in the way of the sixth mask: all the rest is there, whole."""
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / f"{_FAULT_AT:06d}.png").write_bytes(b"precious")
    done = streamseg("run", clip, "out.mp4", "--masks", "masks", "--stats", "stats.csv", "--model", model, "-q")
    assert done.code == 5
    assert done.err.splitlines()[-1] == (
        "streamseg: 'masks/000005.png' already exists and was not written by streamseg, so it is never replaced; "
        "choose another name, or move it away; "
        "kept with what was written by then: out.mp4, masks, stats.csv"
    )
    assert len(pictures(tmp_path / "out.mp4")) == len(pictures(clip))
    assert (tmp_path / "masks" / f"{_FAULT_AT:06d}.png").read_bytes() == b"precious"

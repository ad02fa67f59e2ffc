"""A long recording comes in files that are complete as soon as the next one begins."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from streamseg.atomic import is_part
from streamseg.errors import SinkError, UsageError
from streamseg.sinks import SegmentedVideoSink, VideoFileSink
from streamseg.sources.truncation import is_truncated
from tests.streamseg.sinks.recordings import begins, info_of, pictures, result, stored, unpainted
from tests.waiting import wait_until

LIVE = info_of(live=True, time_base=None)


def clock() -> Callable[[], datetime]:
    """A second later each time it is asked, from one before noon."""
    times: Iterator[datetime] = (datetime(2026, 5, 1, 11, 59, 59, tzinfo=UTC) + timedelta(seconds=n) for n in range(99))
    return lambda: next(times)


def segments_of(folder: Path) -> list[Path]:
    """The finished files, in order."""
    return sorted(each for each in folder.iterdir() if not each.name.startswith(".") and not is_part(each))


def wait_for(count: int, folder: Path) -> None:
    """Until so many files are there: they are finished on a thread of their own."""
    wait_until(lambda: len(segments_of(folder)) >= count, "no finished file")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_segments_have_the_length_asked_for_and_no_frame_is_lost(tmp_path: Path, suffix: str) -> None:
    """Each begins at 0, is named by when it begins, and goes by the clock, not by the count of frames."""
    sink = SegmentedVideoSink(tmp_path / f"out{suffix}", LIVE, unpainted(), length_s=2, now=clock())
    times = [17.0, 17.5, 18.75, 19.0, 19.25, 20.0, 25.0, 25.5]  # a gap, as after a loss
    for index, time_s in enumerate(times):
        sink.write(result(index, time_s=time_s))
    sink.close("cut")
    files = segments_of(tmp_path)
    assert [each.name for each in files] == [
        f"out_20260501-{when}+0000{suffix}" for when in ("115959", "120000", "120001")
    ]
    assert [[float(begin) for begin in begins(each)] for each in files] == [
        pytest.approx([0, 0.5, 1.75], abs=0.001),
        pytest.approx([0, 0.25, 1.0], abs=0.001),
        pytest.approx([0, 0.5], abs=0.001),
    ]
    assert sink.place == str(tmp_path / f"out_*{suffix}")


def test_a_finished_segment_can_be_played_while_the_next_one_is_written(tmp_path: Path) -> None:
    """What happens later, to the machine even, cannot harm it."""
    sink = SegmentedVideoSink(tmp_path / "out.mp4", LIVE, unpainted(), length_s=1, now=clock())
    for index in range(30):
        sink.write(result(index))
    wait_for(1, tmp_path)
    (finished,) = segments_of(tmp_path)
    assert not is_truncated(finished, "mov")
    assert len(pictures(finished)) == 25
    sink.close("failed")
    assert segments_of(tmp_path) == [finished]
    (rest,) = set(tmp_path.iterdir()) - {finished}
    assert is_part(rest)
    assert len(pictures(rest)) == 5


def test_a_kill_behind_a_change_costs_the_end_of_no_segment(tmp_path: Path) -> None:
    """All of a segment is in its file before the first frame of the next one is taken."""
    gate, passed = threading.Event(), threading.Event()
    sink = SegmentedVideoSink(tmp_path / "out.mkv", LIVE, unpainted(), length_s=1, now=clock())
    sink._finisher.submit(lambda: (passed.set(), gate.wait()))  # as with a disk that makes finishing wait
    try:
        passed.wait()
        for index in range(26):
            sink.write(result(index))
        (left,) = [each for each in tmp_path.iterdir() if is_part(each)]
        assert len(pictures(left)) == 25
    finally:
        gate.set()
        sink.close("cut")
    assert [len(pictures(each)) for each in segments_of(tmp_path)] == [25, 1]


def test_what_killed_segments_left_hidden_is_removed_by_the_next_recording(tmp_path: Path) -> None:
    """Locks and files with nothing in them yet; not those of a run that goes on, nor of other outputs."""
    for name in (".lock-out_1.mkv", ".part-out_1.mkv", ".lock-other_1.mkv"):
        (tmp_path / name).write_bytes(b"")
    first = SegmentedVideoSink(tmp_path / "out.mkv", LIVE, unpainted(), length_s=1, now=clock())
    first.write(result(0))
    later = clock()
    later()
    second = SegmentedVideoSink(tmp_path / "out.mkv", LIVE, unpainted(), length_s=1, now=later)
    second.write(result(0))
    assert len(list(tmp_path.glob(".lock-out_*"))) == 2
    first.close("cut")
    second.close("cut")
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == [".lock-other_1.mkv", "out_20260501-115959+0000.mkv", "out_20260501-120000+0000.mkv"]


def test_a_live_recording_begins_at_zero_whenever_it_was_begun(tmp_path: Path) -> None:
    """In one file as in segments: the stream had been running before, and its pts, if any, are not the wall clock."""
    info = info_of(live=True, time_base=Fraction(1, 25))
    sink = VideoFileSink(tmp_path / "out.mp4", info, unpainted())
    for index, time_s in enumerate([100.0, 100.5, 103.0]):
        sink.write(result(index, pts=index, time_s=time_s))
    sink.close("cut")
    assert [float(begin) for begin in begins(tmp_path / "out.mp4")] == pytest.approx([0, 0.5, 3.0], abs=0.001)
    assert float(stored(tmp_path / "out.mp4")[-1].length_s) == pytest.approx(2.5, abs=0.001)


def test_what_went_wrong_with_finishing_a_segment_is_raised(tmp_path: Path) -> None:
    """By the next segment or by the end; never lost in a thread."""
    folder = tmp_path / "gone"
    folder.mkdir()
    sink = SegmentedVideoSink(folder / "out.mkv", LIVE, unpainted(), length_s=1, now=clock())
    for index in range(20):
        sink.write(result(index))
    for each in folder.iterdir():
        each.unlink()
    with pytest.raises(SinkError, match="cannot write"):
        for index in range(20, 30):
            sink.write(result(index))
        sink.close("cut")


def test_segments_begun_in_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    """Whether or not files may be replaced: no segment is written over the one before."""
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    sink = SegmentedVideoSink(tmp_path / "out.mkv", LIVE, unpainted(), length_s=0.1, overwrite=True, now=lambda: noon)
    for index in range(9):
        sink.write(result(index))
    sink.close("cut")
    files = segments_of(tmp_path)
    assert [each.name for each in files] == [f"out_20260501-120000+0000{end}.mkv" for end in ("", "_2", "_3")]
    assert [len(begins(each)) for each in files] == [3, 3, 3]


def test_a_segment_whose_name_is_taken_has_the_next_one_that_is_free(tmp_path: Path) -> None:
    """As after a clock that was set back: the recording goes on, and what was there stays."""
    (tmp_path / "out_20260501-115959+0000.mp4").write_bytes(b"precious")
    sink = SegmentedVideoSink(tmp_path / "out.mp4", LIVE, unpainted(), length_s=60, now=clock())
    sink.write(result(0))
    sink.close("cut")
    assert (tmp_path / "out_20260501-115959+0000.mp4").read_bytes() == b"precious"
    assert len(begins(tmp_path / "out_20260501-115959+0000_2.mp4")) == 1


def test_what_cannot_be_meant_is_refused_at_once(tmp_path: Path) -> None:
    """A recording cut by the clock, a length of nothing, a suffix that is no video."""
    for info, length_s, name, error, said in (
        (info_of(), 60, "out.mp4", UsageError, "segments are for live sources"),
        (LIVE, 0, "out.mp4", UsageError, "`length_s` must be more than 0 seconds, got 0"),
        (LIVE, 60, "out.png", SinkError, "must end in .mp4"),
        (LIVE, 60, "nowhere/out.mp4", SinkError, "there is no folder"),
    ):
        with pytest.raises(error, match=said):
            SegmentedVideoSink(tmp_path / name, info, unpainted(), length_s=length_s)


def test_nothing_written_leaves_nothing(tmp_path: Path) -> None:
    """As when the camera never sent a picture."""
    SegmentedVideoSink(tmp_path / "out.mp4", LIVE, unpainted(), length_s=60).close("cut")
    assert list(tmp_path.iterdir()) == []

"""Compressed pictures without a container: their rate stands in the stream, or is told by whoever has it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamseg import UsageError, open_source
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip, luma_values

QUIET_X265 = {"x265-params": "log-level=none"}


@pytest.mark.parametrize("rate", [Fraction(12), Fraction(25), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("raw.h264", "libx264", {"bf": "2"}), ("raw.hevc", "libx265", QUIET_X265), ("raw.m2v", "mpeg2video", {})],
)
def test_a_raw_stream_has_the_rate_that_stands_in_it(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], rate: Fraction
) -> None:
    """Evenly, from 0 on, exactly; FFmpeg says 25 a second of all of them."""
    if codec == "mpeg2video" and rate == 12:
        pytest.skip("MPEG-2 has no 12 frames a second")
    path = Clip(frames=24, codec=codec, rate=rate, options=options).write(tmp_path / name)
    with open_source(str(path)) as source:
        assert source.info.fps == rate
        assert source.info.time_base is not None
        times = [frame.pts * source.info.time_base for frame in source if frame.pts is not None]
        assert times == [index / rate for index in range(24)]
        assert source.notes == []


def test_a_stream_that_does_not_say_its_rate_is_told_it(tmp_path: Path) -> None:
    """JPEGs in a row: without a word they come at 25 a second and a note says so, with `fps` at that rate."""
    path = Clip(frames=20, codec="mjpeg", pix_fmt="yuvj420p").write(tmp_path / "raw.mjpeg")
    with open_source(str(path)) as source:
        assert [round(frame.time_s * 25, 3) for frame in source] == list(range(20))
        assert "does not say its rate, 25 frames a second are assumed" in source.notes[0]
    with open_source(str(path), fps=10) as source:
        assert [round(frame.time_s * 10, 3) for frame in source] == list(range(20))
        assert source.info.fps == 10
        assert source.notes == []


def test_the_rate_that_is_told_goes_before_the_one_in_the_stream(tmp_path: Path) -> None:
    """Some cameras write a rate that they do not keep; --start counts by the one that is told."""
    path = Clip(frames=60, options={"qp": "0"}).write(tmp_path / "raw.h264")
    with VideoFileSource(path, fps=30) as whole:
        expected = luma_values(whole)
    with VideoFileSource(path, fps=30, start_s=1.0) as source:
        assert luma_values(source) == expected[30:]


def test_a_file_that_stores_times_takes_no_rate(tmp_path: Path) -> None:
    """They are never overruled, and the message says what to do."""
    path = Clip(frames=3).write(tmp_path / "clip.mp4")
    with pytest.raises(UsageError, match=r"`fps` is for raw streams, and .*clip\.mp4' stores the time"):
        open_source(str(path), fps=30)


def test_the_command_line_takes_a_rate(streamseg, tmp_path, model):
    """--fps reaches the source, and messages name the flag."""
    path = Clip(frames=10, codec="mjpeg", pix_fmt="yuvj420p").write(tmp_path / "raw.mjpeg")
    done = streamseg("run", path, "out.mp4", "--fps", 5, "--model", model)
    assert done.code == 0, done.err
    with open_source(str(tmp_path / "out.mp4")) as written:
        assert [round(frame.time_s, 3) for frame in written] == [index / 5 for index in range(10)]
    refused = streamseg("run", tmp_path / "out.mp4", "null:", "--fps", 5, "--model", model)
    assert refused.code == 2
    assert "--fps is for raw streams" in refused.err


@pytest.mark.parametrize(("codec", "name"), [("mpeg4", "a.m4v"), ("libx264", "b.h264")])
def test_a_raw_stream_whose_pictures_change_their_size_goes_on(tmp_path: Path, codec: str, name: str) -> None:
    """To its end, every picture at the size of the first."""
    path = tmp_path / name
    with path.open("wb") as raw:
        for size in SIZES:
            with av.open(str(Clip(frames=10, codec=codec, size=size).write(tmp_path / "part.avi"))) as part:
                raw.write(part.streams.video[0].codec_context.extradata or b"")
                raw.writelines(bytes(packet) for packet in part.demux(video=0) if packet.size)
    with open_source(str(path)) as source:
        assert [frame.size for frame in source] == [SIZES[0]] * 20
        assert source.damage is None


SIZES = ((64, 96), (128, 160))

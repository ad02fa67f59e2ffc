"""Interlaced recordings: whole pictures, one for each frame, at its time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph

from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip

SIZE = (96, 128)
CODECS = {
    "clip.ts": ("mpeg2video", {"flags": "+ildct+ilme"}),
    "clip.mkv": ("libx264", {"x264-params": "tff=1", "bf": "2"}),
    "clip.m2v": ("mpeg2video", {"flags": "+ildct+ilme"}),
}


def moving(moment: int) -> np.ndarray:
    """(height, width, 3) uint8: a white bar that goes 6 pixels to the right with each moment."""
    picture = np.full((*SIZE, 3), 40, np.uint8)
    picture[:, 6 * moment % 100 : 6 * moment % 100 + 20] = 220
    return picture


def interlaced_clip(path: Path, frames: int = 12) -> Path:
    """Frames of 25 a second whose rows are from two moments of 50 a second, in turn, the upper one first."""
    codec, options = CODECS[path.name]
    graph = Graph()
    source = graph.add_buffer(width=SIZE[1], height=SIZE[0], format="yuv420p", time_base=Fraction(1, 25))
    mark, sink = graph.add("setparams", "field_mode=tff"), graph.add("buffersink")
    graph.link_nodes(source, mark, sink).configure()
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=options | {"qmax": "4"})
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        for index in range(frames):
            rows = moving(2 * index)
            rows[1::2] = moving(2 * index + 1)[1::2]
            frame = av.VideoFrame.from_ndarray(rows, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            graph.vpush(frame)
            container.mux(video.encode(graph.vpull()))
        container.mux(video.encode(None))
    return path


def combed(luma: np.ndarray) -> float:
    """Share of pixels that differ from the rows above and below by more than 20 levels, in the same direction."""
    rows = luma.astype(np.int16)
    above, below = rows[1:-1] - rows[:-2], rows[1:-1] - rows[2:]
    return float(((np.minimum(above, below) > 20) | (np.maximum(above, below) < -20)).mean())


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", CODECS)
def test_interlaced_frames_are_deinterlaced(tmp_path: Path, name: str, threads: int) -> None:
    """The combs are gone, the count and the times are those of the file, and a note says so."""
    path = interlaced_clip(tmp_path / name)
    with av.open(str(path)) as container:
        stored = [frame.to_ndarray()[: SIZE[0]] for frame in container.decode(video=0)]
    assert max(map(combed, stored)) > 0.02
    with VideoFileSource(path, threads=threads) as source:
        assert source.notes == ["interlaced, so that moving edges would be combed; deinterlaced by bwdif"]
        frames = list(source)
    assert len(frames) == len(stored) >= 11
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(len(frames))])
    assert max(combed(frame.planes().y) for frame in frames) < 0.002


def test_start_in_an_interlaced_recording(tmp_path: Path) -> None:
    """Begins with the frame of that time."""
    path = interlaced_clip(tmp_path / "clip.mkv")
    with VideoFileSource(path) as whole:
        expected = [round(frame.time_s, 3) for frame in whole][5:]
    with VideoFileSource(path, start_s=0.2) as source:
        assert [round(frame.time_s, 3) for frame in source] == expected


def test_progressive_frames_are_not_touched(tmp_path: Path) -> None:
    """They are the decoder's own memory, and nothing is said."""
    path = Clip(frames=5).write(tmp_path / "clip.mp4")
    with VideoFileSource(path) as source:
        frames = list(source)
        assert source.notes == []
    assert all(not frame.planes().y.flags.owndata for frame in frames)
    assert [round(float(frame.planes().y.mean())) for frame in frames] == [20, 22, 24, 26, 28]

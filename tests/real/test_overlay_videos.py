"""Overlay videos of real clips: every frame at its time, the sound as it was."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg.frame import StreamInfo
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks import VideoFileSink
from streamseg.sources import open_source
from streamseg.spec import SegmentClass

VIDEOS = Path(__file__).parents[3] / "shared" / "data" / "videos"
CLIPS = sorted(path for path in VIDEOS.glob("*.*") if path.suffix in (".mp4", ".gif"))
CLASSES = (SegmentClass(0, "below", (128, 64, 128)), SegmentClass(1, "above", (70, 130, 180)))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CLIPS, reason=f"there are no real clips in {VIDEOS}")]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.stem)
def test_real_clip_keeps_times_and_sound(tmp_path: Path, clip: Path, suffix: str) -> None:
    """As many frames, each within a millisecond of its own time; sound bit for bit where it is not compressed anew."""
    path = tmp_path / f"out{suffix}"
    info = _painted(clip, path)
    before = [begin for begin in _begins(clip, "video") if begin[0] < info.start_s + 3]
    after = _begins(path, "video")
    assert len(after) == len(before)
    assert max(abs(a[0] - b[0]) for a, b in zip(after, before, strict=True)) <= Fraction(1, 1000)
    if info.tracks is not None and info.tracks.of("audio") and suffix == ".mp4":
        heard = _begins(path, "audio")
        assert 2.9 < heard[-1][0] < 3.1 or len(heard) == len(_begins(clip, "audio"))
        assert [packet[1] for packet in heard] == [packet[1] for packet in _begins(clip, "audio")][: len(heard)]


def _painted(clip: Path, path: Path) -> StreamInfo:
    """The first three seconds of a clip, labelled by halves."""
    labels = np.zeros((32, 64), np.uint8)
    labels[:16] = 1
    with open_source(str(clip), duration_s=3) as source:
        sink = VideoFileSink(path, source.info, Painter(CLASSES))
        for frame in source:
            sink.write(Segmentation(frame, labels, CLASSES))
        sink.close("complete")
        return source.info


def _begins(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(getattr(container.streams, kind)[0]) if p.size and not p.is_discard]
        return sorted((packet.pts * packet.time_base, bytes(packet)) for packet in packets)

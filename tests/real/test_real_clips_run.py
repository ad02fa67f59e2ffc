"""`streamseg run` with the bundled model on real dashcam clips, where they are at hand."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.browser import played
from tests.waiting import PATIENCE_S

VIDEOS = Path(__file__).parents[3] / "shared" / "data" / "videos"
CLIPS = sorted(VIDEOS.glob("*.*")) if VIDEOS.is_dir() else []

_LONGEST_S = 4 * PATIENCE_S  # these clips last minutes, and a browser plays each to its end

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CLIPS, reason=f"no real clips at {VIDEOS}")]


def video_times(path: Path) -> list[float]:
    """Presentation times of all frames that can be decoded, seconds."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    """Time in seconds and content of each packet of the first audio stream; empty without one."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in packets]


@pytest.mark.timeout(_LONGEST_S)
@pytest.mark.parametrize("clip", CLIPS, ids=lambda path: path.name)
def test_a_real_clip_keeps_every_frame_time_and_sound_and_plays(streamseg, page, tmp_path, clip):
    """Every decodable frame, times within a millisecond, sound packets byte for byte; a browser plays it to its end."""
    output = tmp_path / "overlay.mp4"
    done = streamseg("run", clip, output, timeout=_LONGEST_S / 2)
    assert done.code == 0, done.err
    times = video_times(clip)
    assert video_times(output) == pytest.approx(times, abs=0.001)
    assert f"{len(times)} frames in, {len(times)} out, 0 dropped" in done.out
    expected, copied = sound_packets(clip), sound_packets(output)
    assert [data for _, data in copied] == [data for _, data in expected]
    assert [time for time, _ in copied] == pytest.approx([time for time, _ in expected], abs=0.001)
    result = played(page, output)
    assert result["ended"], result
    assert result["frames"] > 0
    assert bool(result["sound"]) == bool(expected)


@pytest.mark.parametrize("name", ["udacity_solidWhiteRight.mp4", "udacity_vd_test_video.mp4"])
def test_the_road_ahead_is_covered_by_day(streamseg, tmp_path, name):
    """On motorway clips nearly all of a patch of asphalt in front of the car is called road, and the top is not."""
    if not (VIDEOS / name).is_file():
        pytest.skip(f"{name} is not at hand")
    done = streamseg("run", VIDEOS / name, "null:", "--masks", "masks", "--max-frames", "25")
    assert done.code == 0, done.err
    masks = np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted((tmp_path / "masks").iterdir())])
    _, height, width = masks.shape
    ahead = masks[:, int(height * 0.78) : int(height * 0.88), int(width * 0.42) : int(width * 0.58)]
    assert (ahead == 3).mean() > 0.95
    assert (masks[:, : height // 4] == 3).mean() < 0.02

"""Real dashcam clips: every frame, at the time that ffprobe says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from streamseg import open_source

VIDEOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "videos"
CLIPS = sorted(each.name for each in VIDEOS.glob("*")) if VIDEOS.is_dir() else []

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CLIPS, reason="the real clips are not on this machine"),
    pytest.mark.skipif(shutil.which("ffprobe") is None, reason="there is no ffprobe command on this machine"),
]


@pytest.mark.parametrize("name", CLIPS or ["none"])
def test_clip_gives_every_frame_at_its_time(name: str) -> None:
    """As many frames as ffprobe decodes, with the same timestamps, and no false alarm about damage."""
    asked = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp"]
    out = subprocess.run([*asked, "-of", "csv=p=0", VIDEOS / name], capture_output=True, text=True, check=True).stdout
    expected = [int(line.strip(",")) for line in out.split()]
    with open_source(str(VIDEOS / name)) as source:
        assert [frame.pts for frame in source] == expected
        assert source.damage is None
        assert source.info.frame_count == len(expected)


@pytest.mark.parametrize("name", CLIPS or ["none"])
def test_opencv_reads_as_many_frames_without_alarm(name: str) -> None:
    """Also the clip whose header counts frames that are not shown."""
    with open_source(str(VIDEOS / name), reader="opencv") as source:
        assert len(list(source)) == source.info.frame_count
        assert source.damage is None

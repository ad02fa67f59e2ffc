"""Recordings in PQ and HLG come as BT.709, with diffuse white as white; all others as they are stored."""

from __future__ import annotations

from math import log, sqrt
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg.pixels import YuvColor
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip

PQ, HLG = 16, 18
WHITE = 203.0  # cd/m2
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # from BT.709


def pq(light: float) -> float:
    """cd/m2 to the coded value, BT.2100 table 4."""
    power = (light / 10000) ** (2610 / 16384)
    return float(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def hlg(light: float) -> float:
    """cd/m2 on a display of 1000 to the coded value, BT.2100 table 5, the system gamma on each colour."""
    scene = (light / 1000) ** (1 / 1.2)
    return sqrt(3 * scene) if scene <= 1 / 12 else 0.17883277 * log(12 * scene - 0.28466892) + 0.55991073


CODES = {PQ: pq, HLG: hlg}


def recording(path: Path, transfer: int, light: tuple[float, float, float], frames: int = 3) -> Path:
    """Lossless, 10 bits, BT.2020: one colour, given as linear R, G, B of BT.709 in cd/m2."""
    red, green, blue = (CODES[transfer](max(0.0, each)) for each in TO_2020 @ np.array(light))
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    levels = (64 + 876 * luma, 512 + 896 * (blue - luma) / 1.8814, 512 + 896 * (red - luma) / 1.4746)
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 64, 96, "yuv420p10le"
        encoder = video.codec_context
        encoder.color_primaries, encoder.color_trc, encoder.colorspace, encoder.color_range = 9, transfer, 9, 1
        for index in range(frames):
            frame = av.VideoFrame(96, 64, "yuv420p10le")
            for plane, level in zip(frame.planes, levels, strict=True):
                plane.update(np.full(plane.buffer_size // 2, round(level), np.uint16).tobytes())
            frame.pts = index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def shown(path: Path) -> tuple[int, int, int]:
    """R, G, B in the middle of the first frame, 0 to 255."""
    with VideoFileSource(path) as source:
        blue, green, red = (int(each) for each in source.read().bgr()[32, 48])
    return red, green, blue


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.18, 0.5, 0.75])
def test_greys_up_to_nearly_white_look_as_on_a_display(tmp_path: Path, transfer: int, share: float) -> None:
    """So much of 203 cd/m2 is that share of BT.709's white, by gamma 2.4."""
    grey = shown(recording(tmp_path / "clip.mkv", transfer, (share * WHITE,) * 3))
    assert grey == pytest.approx((255 * share ** (1 / 2.4),) * 3, abs=4)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_highlights_are_told_apart(tmp_path: Path, transfer: int) -> None:
    """White is nearly white, and what is brighter is brighter still."""
    levels = [shown(recording(tmp_path / "clip.mkv", transfer, (light,) * 3))[1] for light in (150, 203, 300, 1000)]
    assert levels == sorted(set(levels))
    assert levels[1] >= 240


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("share", [(0.5, 0.05, 0.05), (0.05, 0.5, 0.05), (0.05, 0.05, 0.5), (0.5, 0.5, 0.05)])
def test_colours_have_the_primaries_of_bt709(tmp_path: Path, transfer: int, share: tuple[float, float, float]) -> None:
    """A colour of BT.709, recorded in BT.2020, is that colour again."""
    colour = shown(recording(tmp_path / "clip.mkv", transfer, tuple(WHITE * each for each in share)))
    assert colour == pytest.approx([255 * each ** (1 / 2.4) for each in share], abs=10)


def test_frames_times_and_tags_are_right_and_a_note_says_what_was_done(tmp_path: Path) -> None:
    """None is lost in the filters, and what is written is tagged as what it is."""
    with VideoFileSource(recording(tmp_path / "clip.mkv", PQ, (50, 50, 50), frames=7)) as source:
        assert source.info.color == YuvColor("bt709", full_range=False)
        assert source.notes == ["recorded in high dynamic range (PQ); mapped to BT.709 with diffuse white as white"]
        assert [frame.pts for frame in source] == [0, 40, 80, 120, 160, 200, 240]


def test_a_recording_in_standard_range_is_not_touched(tmp_path: Path) -> None:
    """Also in BT.2020: its planes are the decoder's own."""
    tags = {"color_primaries": 9, "color_trc": 14, "colorspace": 9}
    with VideoFileSource(Clip(frames=3, tags=tags).write(tmp_path / "clip.mp4")) as source:
        assert source.notes == []
        assert source.info.color == YuvColor("bt2020", full_range=False)
        assert not source.read().planes().y.flags.owndata


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_the_overlay_of_a_recording_in_high_range_is_tagged_bt709(streamseg, tmp_path, model, transfer):
    """All three tags, and class colours are then the same as over any other clip."""
    path = recording(tmp_path / "clip.mkv", transfer, (50, 50, 50))
    done = streamseg("run", path, "out.mp4", "--model", model)
    assert done.code == 0, done.err
    assert "mapped to BT.709" in done.err
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)

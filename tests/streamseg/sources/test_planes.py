"""Upright and in the right colours: what decoded frames look like."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamseg.pixels import YuvColor
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip, needs_ffmpeg

SIZE = (64, 96)


def corners() -> np.ndarray:
    """(64, 96, 3) uint8 BGR with another colour in each quarter, so that every turn and mirror image differs."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[:32, :48] = (40, 40, 220)
    picture[:32, 48:] = (40, 220, 40)
    picture[32:, :48] = (220, 40, 40)
    picture[32:, 48:] = (200, 200, 200)
    return picture


@needs_ffmpeg
@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turned_and_mirrored_clips_come_out_as_ffmpeg_shows_them(tmp_path: Path, degrees: int, hflip: bool) -> None:
    """All eight display matrices, compared pixel by pixel with the ffmpeg command's own auto-rotation."""
    clip = Clip(frames=2, pictures=[corners()] * 2, options={"qp": "0"}, rotation=(degrees, hflip, False))
    path = clip.write(tmp_path / "turned.mp4")
    with VideoFileSource(path) as source:
        frame = source.read()
        assert frame is not None
        planes = frame.planes()
        assert source.info.size == frame.size == (SIZE[::-1] if degrees % 180 else SIZE)
    shown = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    ours = b"".join(np.ascontiguousarray(layer).tobytes() for layer in (planes.y, planes.u, planes.v))
    assert ours == shown


@pytest.mark.parametrize(
    ("degrees", "top_left"), [(0, (40, 40, 220)), (90, (40, 220, 40)), (180, (200, 200, 200)), (270, (220, 40, 40))]
)
def test_rotation_is_counterclockwise(tmp_path: Path, degrees: int, top_left: tuple[int, int, int]) -> None:
    """What is at the top right of the stored picture is at the top left after a quarter turn to the left."""
    clip = Clip(frames=1, pictures=[corners()], options={"qp": "0"}, rotation=(degrees, False, False))
    with VideoFileSource(clip.write(tmp_path / "turned.mp4")) as source:
        frame = source.read()
    assert frame is not None
    assert frame.bgr()[8, 8].tolist() == pytest.approx(top_left, abs=4)


@pytest.mark.parametrize(
    ("tag", "top_left"), [(1, (40, 40, 220)), (3, (200, 200, 200)), (6, (220, 40, 40)), (8, (40, 220, 40))]
)
def test_motion_jpeg_with_exif_is_read_and_turned(tmp_path: Path, tag: int, top_left: tuple[int, int, int]) -> None:
    """Cameras write it into every picture; PyAV knows no such side data."""
    picture = Image.fromarray(corners()[:, :, ::-1].copy())  # Pillow has RGB
    exif = picture.getexif()
    exif[0x0112], exif[0x010F] = tag, "a maker"
    picture.save(tmp_path / "picture.jpg", exif=exif, quality=95, subsampling=0)
    with VideoFileSource(tmp_path / "picture.jpg") as source:
        frame = source.read()
    assert frame is not None
    assert frame.size == (SIZE[::-1] if tag > 4 else SIZE)
    assert frame.bgr()[8, 8].tolist() == pytest.approx(top_left, abs=8)


@pytest.mark.parametrize(
    ("tags", "size", "expected"),
    [
        ({}, (64, 96), YuvColor("bt601", full_range=False)),
        ({}, (720, 96), YuvColor("bt709", full_range=False)),
        ({"colorspace": 1, "color_range": 1}, (64, 96), YuvColor("bt709", full_range=False)),
        ({"colorspace": 6, "color_range": 1}, (720, 96), YuvColor("bt601", full_range=False)),
        ({"colorspace": 5, "color_range": 2}, (64, 96), YuvColor("bt601", full_range=True)),
        ({"colorspace": 9, "color_range": 1}, (64, 96), YuvColor("bt2020", full_range=False)),
    ],
)
def test_colour_is_as_tagged_or_as_players_assume(
    tmp_path: Path, tags: dict[str, int], size: tuple[int, int], expected: YuvColor
) -> None:
    """Tags win; without them BT.709 from 720 rows on, BT.601 below, video range."""
    with VideoFileSource(Clip(frames=2, size=size, tags=tags).write(tmp_path / "clip.mp4")) as source:
        frame = source.read()
        assert frame is not None
        assert source.info.color == frame.planes().color == expected


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("rgb.mkv", "ffv1", "bgr0"),
        ("planar_rgb.avi", "utvideo", "gbrp"),
        ("rgb24.avi", "rawvideo", "bgr24"),
        ("png.mov", "png", "rgb24"),
        ("y444.mkv", "ffv1", "yuv444p"),
        ("y422.mkv", "ffv1", "yuv422p"),
        ("ten_bit.mkv", "ffv1", "yuv420p10le"),
        ("twelve_bit.mkv", "ffv1", "yuv422p12le"),
        ("jpeg.mkv", "mjpeg", "yuvj420p"),
        ("jpeg444.mkv", "mjpeg", "yuvj444p"),
    ],
)
def test_other_pixel_formats_keep_their_colours(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    """RGB, other chroma, more bits and full range: the BGR picture is the one that was encoded."""
    options = {} if codec != "mjpeg" else {"qmin": "1", "qmax": "1"}
    clip = Clip(frames=2, pictures=[corners()] * 2, codec=codec, pix_fmt=pix_fmt, options=options)
    with VideoFileSource(clip.write(tmp_path / name)) as source:
        frames = list(source)
    assert len(frames) == 2
    inner = np.zeros(SIZE, bool)
    inner[4:28, 4:44] = inner[4:28, 52:92] = inner[36:60, 4:44] = inner[36:60, 52:92] = True
    difference = np.abs(frames[1].bgr().astype(int) - corners().astype(int))
    assert difference[inner].max() <= 5


@pytest.mark.parametrize("pix_fmt", ["gray", "gray16le"])
def test_grey_clips_are_grey(tmp_path: Path, pix_fmt: str) -> None:
    """A format without chroma gives the same brightness and no tint."""
    pictures = [np.full((*SIZE, 3), value, np.uint8) for value in (16, 100, 235)]
    clip = Clip(frames=3, pictures=pictures, codec="ffv1", pix_fmt=pix_fmt)
    with VideoFileSource(clip.write(tmp_path / "grey.mkv")) as source:
        values = [frame.bgr()[10, 10].tolist() for frame in source]
    assert values == [pytest.approx([v] * 3, abs=3) for v in (16, 100, 235)]

"""MP4 and MOV may show a part of their pictures alone: that part is what comes."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip

SIZE = (96, 128)
ENTRY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")


def with_clean_aperture(path: Path, *numbers: int) -> Path:
    """Put a `clap` box of eight numbers into the only track of a file whose index is behind its pictures."""
    data = bytearray(path.read_bytes())
    places = []
    at = 0
    for name in ENTRY:
        at = data.index(name, at)
        places.append(at - 4)
    end = places[-1] + int.from_bytes(data[places[-1] : places[-1] + 4], "big")
    box = struct.pack(">I4s4I2i2i", 40, b"clap", *numbers)
    for place in places:
        data[place : place + 4] = (int.from_bytes(data[place : place + 4], "big") + len(box)).to_bytes(4, "big")
    data[end:end] = box
    path.write_bytes(data)
    return path


def ramp_clip(path: Path, **settings: object) -> Path:
    """Lossless; luma grows to the right by 1 a column and downwards by 1 a row."""
    rows, columns = np.indices(SIZE)
    picture = np.repeat((20 + rows + columns // 2).astype(np.uint8)[:, :, None], 3, axis=2)
    clip = Clip(frames=3, size=SIZE, pictures=[picture] * 3, options={"qp": "0"}, **settings)  # type: ignore[arg-type]
    return clip.write(path)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
@pytest.mark.parametrize(
    ("numbers", "rows", "columns"),
    [
        ((64, 1, 48, 1, 0, 1, 0, 1), slice(24, 72), slice(32, 96)),  # the middle
        ((64, 1, 48, 1, -32, 1, 24, 1), slice(48, 96), slice(0, 64)),  # lower left
        ((128, 2, 97, 2, 0, 1, -1, 1), slice(22, 70), slice(32, 96)),  # fractions; an odd first row, which has none
        ((127, 1, 95, 1, -1, 2, -1, 2), slice(0, 95), slice(0, 127)),  # odd sizes
    ],
)
def test_the_clean_aperture_alone_is_handed_out(
    tmp_path: Path, name: str, numbers: tuple[int, ...], rows: slice, columns: slice
) -> None:
    """The same pixels as in the whole picture, in all three planes."""
    whole_path = ramp_clip(tmp_path / name)
    with VideoFileSource(whole_path) as source:
        whole = source.read().planes()
    with VideoFileSource(with_clean_aperture(whole_path, *numbers)) as source:
        assert source.info.size == (rows.stop - rows.start, columns.stop - columns.start)
        frames = list(source)
    assert len(frames) == 3
    part = frames[0].planes()
    assert part.size == source.info.size
    assert (part.y == whole.y[rows, columns]).all()
    half_rows, half_columns = (slice(each.start // 2, (each.stop + 1) // 2) for each in (rows, columns))
    assert (part.u == whole.u[half_rows, half_columns]).all()
    assert (part.v == whole.v[half_rows, half_columns]).all()


@pytest.mark.parametrize(
    "numbers",
    [
        (128, 1, 96, 1, 0, 1, 0, 1),  # all of it
        (200, 1, 96, 1, 0, 1, 0, 1),  # more than there is
        (64, 1, 48, 1, 60, 1, 0, 1),  # beside it
        (0, 1, 0, 1, 0, 1, 0, 1),
        (64, 0, 48, 0, 0, 0, 0, 0),  # no fractions
    ],
)
def test_what_is_no_part_of_the_picture_changes_nothing(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    """All of the picture is shown, as by every player."""
    with VideoFileSource(with_clean_aperture(ramp_clip(tmp_path / "clip.mp4"), *numbers)) as source:
        assert source.info.size == SIZE


def test_a_picture_on_its_side_is_cut_before_it_is_turned(tmp_path: Path) -> None:
    """The aperture is named in stored pixels."""
    path = ramp_clip(tmp_path / "clip.mp4", rotation=(90, False, False))
    with VideoFileSource(with_clean_aperture(path, 64, 1, 48, 1, 0, 1, 0, 1)) as source:
        assert source.info.size == (64, 48)
        assert source.read().size == (64, 48)


def test_the_overlay_is_as_large_as_the_clean_aperture(streamseg, tmp_path, model):
    """Whoever plays it sees what was meant to be seen."""
    path = with_clean_aperture(ramp_clip(tmp_path / "clip.mp4"), 64, 1, 48, 1, 0, 1, 0, 1)
    done = streamseg("run", path, "out.mp4", "--model", model)
    assert done.code == 0, done.err
    with av.open(str(tmp_path / "out.mp4")) as written:
        assert (written.streams.video[0].width, written.streams.video[0].height) == (64, 48)

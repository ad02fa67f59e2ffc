"""Where pixels are not square, every kind of file says how large its pictures are to be shown, where players look."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamseg.sinks import VideoFileSink
from streamseg.sources.ebml import CRC, SEGMENT, TRACK_ENTRY, TRACKS, VIDEO, checksum, element, element_at, parsed
from streamseg.sources.mp4_boxes import box_at
from tests.streamseg.sinks.recordings import begins, clip_with_sound, info_of, record, record_with_sound, unpainted

SHAPES = [Fraction(4, 3), Fraction(64, 45), Fraction(3, 4), Fraction(8, 9)]


def written(path: Path, aspect: Fraction | None, size: tuple[int, int] = (48, 64), **fields: object) -> Path:
    """A file of five frames whose source has pixels of this shape."""
    info = info_of(size, sample_aspect_ratio=aspect, **fields)
    record(VideoFileSink(path, info, unpainted()), range(5), size=size)
    return path


def display_elements(path: Path) -> dict[bytes, int]:
    """The numbers that the track of pictures of a Matroska file holds, by id."""
    data = path.read_bytes()
    entry = element_at(io.BytesIO(data), (SEGMENT, TRACKS, TRACK_ENTRY, VIDEO), 0, len(data))
    assert entry is not None
    return {part.name: int.from_bytes(part.content, "big") for part in parsed(data[entry.start : entry.end])}


@pytest.mark.parametrize("aspect", SHAPES)
@pytest.mark.parametrize("suffix", ["mp4", "m4v", "mov"])
def test_the_track_header_of_mp4_and_mov_has_the_size_shown(tmp_path: Path, suffix: str, aspect: Fraction) -> None:
    """As high as stored, and as wide as the shape of its pixels makes it, in 16.16 fixed point."""
    path = written(tmp_path / f"out.{suffix}", aspect)
    data = path.read_bytes()
    header = box_at(io.BytesIO(data), (b"moov", b"trak", b"tkhd"), 0, len(data))
    assert header is not None
    wide, high = (int.from_bytes(data[header.end - back : header.end - back + 4], "big") for back in (8, 4))
    assert wide == round(64 * aspect * 65536)
    assert high == 48 * 65536


@pytest.mark.parametrize("aspect", SHAPES)
@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_matroska_and_webm_have_display_width_and_height(tmp_path: Path, suffix: str, aspect: Fraction) -> None:
    """In whole pixels; the header's checksum is right, and all that stood in it before still does."""
    path = written(tmp_path / f"out.{suffix}", aspect)
    told = display_elements(path)
    assert (told[b"\x54\xb0"], told[b"\x54\xba"]) == (round(64 * aspect), 48)
    plain = display_elements(written(tmp_path / f"plain.{suffix}", None))
    assert {name: value for name, value in told.items() if name not in (b"\x54\xb0", b"\x54\xba")} == plain
    data = path.read_bytes()
    tracks = element_at(io.BytesIO(data), (SEGMENT, TRACKS), 0, len(data))
    assert tracks is not None
    first, *rest = parsed(data[tracks.start : tracks.end])
    if first.name == CRC:
        assert element(CRC, checksum(b"".join(each.whole for each in rest))) == first.whole
    assert b"overlay" not in data  # the name that kept the place


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_ffmpeg_reads_the_shape_the_frames_and_the_sound(tmp_path: Path, suffix: str) -> None:
    """Also of odd sizes, which are stored a column wider; nothing else in the file has moved."""
    clip = clip_with_sound(tmp_path / "clip.mkv", ["aac"], seconds=0.5, languages=["fra"])
    path = tmp_path / f"out.{suffix}"
    record_with_sound(clip, path, range(5), size=(49, 63), sample_aspect_ratio=Fraction(4, 3))
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.height, video.width) == (50, 64)
        assert video.sample_aspect_ratio == pytest.approx(4 / 3, rel=0.01)  # Matroska has whole pixels alone
        assert container.streams.audio[0].language == "fra"
        container.seek(0)
        assert sum(1 for _ in container.decode(video)) == 5
        container.seek(0)
        assert sum(packet.size for packet in container.demux(audio=0)) > 0
    assert begins(path) == begins(written(tmp_path / f"plain.{suffix}", None, (49, 63)))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_square_pixels_leave_the_header_as_the_muxer_wrote_it(tmp_path: Path, suffix: str) -> None:
    """No size to be shown beside the stored one, and no name of the track."""
    path = written(tmp_path / f"out.{suffix}", None)
    assert b"overlay" not in path.read_bytes()
    if suffix != "mp4":
        assert b"\x54\xb0" not in display_elements(path)

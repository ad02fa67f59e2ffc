"""Overlay videos: every frame, at its own time, in the right colours, in files that play everywhere."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg.color import bgr_to_yuv420, colors_to_yuv
from streamseg.errors import SinkError
from streamseg.painting import Painter
from streamseg.pixels import Yuv420, YuvColor
from streamseg.sinks import VideoFileSink, open_sink
from tests.streamseg.sinks.recordings import (
    CLASSES,
    begins,
    info_of,
    noise,
    pictures,
    record,
    result,
    stored,
    unpainted,
)

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
CLOCKS = {
    "25 fps": (Fraction(1, 25), range(20)),
    "29.97 fps": (Fraction(1001, 30_000), range(20)),
    "transport stream": (Fraction(1, 90_000), range(0, 20 * 3003, 3003)),
    "matroska": (Fraction(1, 1000), [0, 33, 67, 100, 133, 167, 200]),
    "gif": (Fraction(1, 100), [0, 10, 22, 31, 150, 151]),
    "phone, variable": (Fraction(1, 90_000), [0, 3000, 6011, 8990, 90_000, 93_001, 300_000]),
    "begins late": (Fraction(1, 12_800), [1700, 2212, 2724, 3236]),
    "nanoseconds": (Fraction(1, 10**9), [0, 33_333_333, 66_666_667, 5_000_000_000]),
    "one tick a second": (Fraction(1), [0, 1, 3]),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("clock", CLOCKS)
def test_frames_are_shown_exactly_when_the_source_says(tmp_path: Path, suffix: str, clock: str) -> None:
    """MP4 and MOV keep times to the tick (but nanoseconds to 6 µs), Matroska and WebM to the millisecond."""
    time_base, ticks = CLOCKS[clock]
    path = tmp_path / f"out{suffix}"
    record(VideoFileSink(path, info_of(time_base=time_base), unpainted()), ticks)
    expected = [tick * time_base for tick in ticks]
    exact = suffix not in (".mkv", ".webm") and clock != "nanoseconds"
    assert len(begins(path)) == len(expected)
    assert max(abs(a - b) for a, b in zip(begins(path), expected, strict=True)) <= (0 if exact else Fraction(1, 2000))


@pytest.mark.parametrize("preset", ["ultrafast", "medium"])
def test_times_are_exact_however_far_the_encoder_looks_ahead(tmp_path: Path, preset: str) -> None:
    """Slower presets hold dozens of frames back; times and lengths stay with their frames."""
    ticks = [0, 3000, 6011, 8990, 90_000, 93_001, 96_000, 99_000, 102_000, 300_000]
    path = tmp_path / "out.mp4"
    record(VideoFileSink(path, info_of(time_base=Fraction(1, 90_000)), unpainted(), preset=preset), ticks)
    packets = stored(path)
    assert [packet.begin_s for packet in packets] == [Fraction(tick, 90_000) for tick in ticks]
    assert [a.begin_s + a.length_s for a in packets[:-1]] == [b.begin_s for b in packets[1:]]


def test_output_begins_where_the_caller_asked_to_start(tmp_path: Path) -> None:
    """`start_s` becomes time 0 of the output."""
    path = tmp_path / "out.mp4"
    info = info_of(time_base=Fraction(1, 1000), start_s=2.0)
    record(VideoFileSink(path, info, unpainted()), [2010, 2050, 2090])
    assert begins(path) == [Fraction(ms, 1000) for ms in (10, 50, 90)]


def test_frames_without_a_clock_are_timed_by_their_seconds(tmp_path: Path) -> None:
    """Cameras give seconds only; they are kept to 1/90000 s."""
    path = tmp_path / "out.mp4"
    sink = VideoFileSink(path, info_of(time_base=None, fps=None), unpainted())
    times = [0.0, 0.0411, 0.0789, 0.5]
    for index, time_s in enumerate(times):
        sink.write(result(index, time_s=time_s))
    sink.close("complete")
    assert [float(begin) for begin in begins(path)] == pytest.approx(times, abs=1e-5)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_frames_that_do_not_move_on_in_time_are_kept(tmp_path: Path, suffix: str) -> None:
    """A source that repeats a time or steps back loses no frame, and the frames after keep their own times."""
    path = tmp_path / f"out{suffix}"
    sink = VideoFileSink(path, info_of(), unpainted())
    record(sink, [0, 1, 1, 2, 1, 3])
    found = [float(begin) for begin in begins(path)]
    assert found == pytest.approx([0, 0.04, 0.04, 0.08, 0.08, 0.12], abs=0.001)
    assert len(pictures(path)) == 6
    assert sink.notes == ["2 frames claimed to be no later than the one before; moved by a tick"]


@pytest.mark.parametrize(
    ("ticks", "duration_s", "expected_s"),
    [
        (range(50), None, 2.0),
        (range(50), 2.0, 2.0),
        (range(50), 9.0, 2.0),  # a header that lies
        ([0, 10, 30], 2.0, 2.0),
        ([0], None, 0.04),
    ],
)
def test_length_includes_the_last_frame(
    tmp_path: Path, ticks: list[int], duration_s: float | None, expected_s: float
) -> None:
    """The last frame lasts to the end the source announced, where that is believable, else as long as usual."""
    path = tmp_path / "out.mp4"
    record(VideoFileSink(path, info_of(duration_s=duration_s), unpainted()), ticks)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert float(stream.duration * stream.time_base) == pytest.approx(expected_s, abs=0.001)
        assert container.duration / 1e6 == pytest.approx(expected_s, abs=0.001)
    assert stored(path)[-1].length_s == pytest.approx(expected_s - ticks[-1] / 25, abs=0.001)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001)])
def test_frame_rate_of_the_file_is_the_sources(tmp_path: Path, suffix: str, fps: Fraction) -> None:
    """Fractional rates are not rounded, so that players and editors agree with the source."""
    path = tmp_path / f"out{suffix}"
    record(VideoFileSink(path, info_of(fps=fps, time_base=1 / fps), unpainted()), range(30))
    with av.open(str(path)) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(float(fps), rel=1e-4)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_codec_is_one_that_plays_in_that_kind_of_file(tmp_path: Path, suffix: str) -> None:
    """H.264 as avc1 with 4:2:0 chroma, the only kind all browsers and QuickTime take; VP9 in WebM."""
    path = tmp_path / f"out{suffix}"
    record(VideoFileSink(path, info_of(), unpainted()), range(3))
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert codec.codec.canonical_name == ("vp9" if suffix == ".webm" else "h264")
        assert codec.pix_fmt == "yuv420p"
        if suffix in (".mp4", ".m4v", ".mov"):
            assert codec.codec_tag == "avc1"


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_index_comes_first(tmp_path: Path, suffix: str) -> None:
    """A browser can start to play before it has the whole file."""
    path = tmp_path / f"out{suffix}"
    record(VideoFileSink(path, info_of(), unpainted()), range(10))
    content = path.read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("color", [YuvColor("bt601"), YuvColor("bt709"), YuvColor("bt601", full_range=True)])
def test_colours_come_back_as_they_went_in(tmp_path: Path, suffix: str, color: YuvColor) -> None:
    """The file says which matrix and range its numbers mean: red stays red for both standards."""
    red, orange = (255, 0, 0), (200, 120, 40)
    for rgb in (red, orange):
        y, u, v = colors_to_yuv(np.array([rgb], np.uint8), color)[0]
        planes = Yuv420(
            np.full((96, 96), y, np.uint8), np.full((48, 48), u, np.uint8), np.full((48, 48), v, np.uint8), color
        )
        path = tmp_path / f"{rgb[1]}{suffix}"
        sink = VideoFileSink(path, info_of((96, 96), color=color), unpainted())
        for index in range(3):
            sink.write(result(index, index, pixels=planes))
        sink.close("complete")
        middle = pictures(path)[-1][48, 48].astype(int)
        assert np.abs(middle - np.array(rgb[::-1])).max() <= 8


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64)])
def test_odd_sizes_are_made_even_without_a_dark_edge(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    """The last row and column are repeated; nothing is cut off."""
    picture = np.full((*size, 3), 200, np.uint8)
    path = tmp_path / f"out{suffix}"
    sink = VideoFileSink(path, info_of(size), unpainted())
    for index in range(2):
        sink.write(result(index, index, pixels=bgr_to_yuv420(picture)))
    sink.close("complete")
    written = pictures(path)[0]
    assert written.shape == (48, 64, 3)
    assert np.abs(written.astype(int) - 200).max() <= 4


def test_each_frame_is_its_own_although_one_buffer_serves_all(tmp_path: Path) -> None:
    """The encoder never reads a buffer that already holds the next picture, with any number of threads ahead."""
    path = tmp_path / "out.mp4"
    sink = VideoFileSink(path, info_of((96, 128)), unpainted(), crf=10)
    levels = [(index * 37) % 200 + 20 for index in range(40)]
    for index, level in enumerate(levels):
        planes = noise(index, (96, 128))
        planes.y[:] = level
        sink.write(result(index, index, pixels=planes))
    sink.close("complete")
    with av.open(str(path)) as container:
        found = [np.median(frame.to_ndarray()[:96]) for frame in container.decode(video=0)]
    assert found == pytest.approx(levels, abs=3)


def test_labels_are_painted(tmp_path: Path) -> None:
    """What is written is the painter's picture: sky above, road below, in their colours."""
    path = tmp_path / "out.mp4"
    sink = VideoFileSink(path, info_of(), Painter(CLASSES, view="mask", legend=False))
    record(sink, range(3))
    top, bottom = (pictures(path)[-1][row, 32, ::-1].astype(int) for row in (8, 40))
    assert np.abs(top - CLASSES[1].color_rgb).max() <= 8
    assert np.abs(bottom - CLASSES[0].color_rgb).max() <= 8


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    """Anamorphic video is shown as wide as the source."""
    path = tmp_path / "out.mp4"
    record(VideoFileSink(path, info_of(sample_aspect_ratio=Fraction(4, 3)), unpainted()), range(3))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_lower_crf_gives_a_larger_file(tmp_path: Path) -> None:
    """`crf` and `preset` reach the encoder."""
    sizes = []
    for crf in (15, 35):
        path = tmp_path / f"{crf}.mp4"
        record(VideoFileSink(path, info_of(), unpainted(), crf=crf, preset="ultrafast"), range(5))
        sizes.append(path.stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.gif"])
def test_pictures_of_another_size_are_stretched_and_counted(tmp_path: Path, name: str) -> None:
    """A film has one size: that of its first picture; the run goes on, and a note says how many were changed."""
    sink = open_sink(str(tmp_path / name), info_of(), unpainted())
    for index, size in enumerate([(48, 64), (24, 32), (48, 64), (100, 40), (48, 64)]):
        sink.write(result(index, index, size=size))
    sink.close("complete")
    assert [picture.shape for picture in pictures(tmp_path / name)] == [(48, 64, 3)] * 5
    (note,) = sink.notes
    assert note == "2 pictures of other sizes were stretched to that of the first, 64x48; a folder keeps their sizes"


def test_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    """The way out is in the message."""
    with pytest.raises(SinkError, match=r"must end in \.mp4, \.m4v, \.mov, \.mkv, \.webm"):
        VideoFileSink(tmp_path / "out.avi", info_of(), unpainted())


def test_suffix_counts_in_capitals_too(tmp_path: Path) -> None:
    """Windows users write CLIP.MP4."""
    path = tmp_path / "OUT.MP4"
    record(VideoFileSink(path, info_of(), unpainted()), range(2))
    assert len(begins(path)) == 2


@pytest.mark.parametrize("name", ["with space.mp4", "c:olon.mp4", "100%d.mp4", "ünï€.mp4", "-dash.mp4"])
def test_strange_names_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """FFmpeg takes some names for protocols, patterns or options; here they are just names."""
    monkeypatch.chdir(tmp_path)
    record(VideoFileSink(name, info_of(), unpainted()), range(2))
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize(
    ("color", "told", "expected"),
    [
        (YuvColor("bt601"), (5, 5, 4), (5, 5, 4)),  # 470BG, as PAL cameras have it
        (YuvColor("bt709"), (1, 12, 13), (1, 12, 13)),  # Display P3, as phones have it
        (YuvColor("bt709"), (2, 2, 2), (1, 1, 1)),  # nothing said: what players assume of such a matrix
        (YuvColor("bt2020"), (9, 9, 2), (9, 9, 14)),
        (YuvColor("bt601"), (2, 1, 13), (6, 1, 13)),  # sRGB of a GIF
        (YuvColor("bt601"), None, (6, 6, 6)),
    ],
)
def test_colour_tags_are_the_sources(
    tmp_path: Path,
    suffix: str,
    color: YuvColor,
    told: tuple[int, int, int] | None,
    expected: tuple[int, int, int],
) -> None:
    """The pixels are what the source's were, so that rewritten tags would show other colours."""
    path = tmp_path / f"out.{suffix}"
    sink = VideoFileSink(path, info_of(color=color, color_tags=told), unpainted())
    for index in range(3):
        sink.write(result(index, index, pixels=noise(index, color=color)))
    sink.close("complete")
    with av.open(str(path)) as container:
        encoder = container.streams.video[0].codec_context
        assert (encoder.colorspace, encoder.color_primaries, encoder.color_trc) == expected

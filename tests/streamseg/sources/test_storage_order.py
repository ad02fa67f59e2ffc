"""AVI stores no times but the order of its pictures: they are shown evenly, each its own, wherever reading begins."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip, luma_of, noise_pictures

LOSSLESS = {"qp": "0", "preset": "medium"}


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("bf", ["0", "1", "3"])
@pytest.mark.parametrize(
    ("codec", "options"),
    [("libx264", LOSSLESS), ("libx264", LOSSLESS | {"x264-params": "open-gop=1"}), ("mpeg4", {"qmax": "2"})],
)
def test_pictures_in_an_avi_come_evenly(
    tmp_path: Path, codec: str, options: dict[str, str], bf: str, threads: int
) -> None:
    """Whatever is stored ahead of what: every step is one frame, and the first comes at 0."""
    path = Clip(frames=60, codec=codec, rate=Fraction(30), options=options | {"bf": bf}).write(tmp_path / "clip.avi")
    with VideoFileSource(path, threads=threads) as source:
        frames = list(source)
        assert source.damage is None
    assert [frame.pts for frame in frames] == list(range(60))
    lumas = [float(frame.planes().y.mean()) for frame in frames]
    assert lumas == pytest.approx([luma_of(index) for index in range(60)], abs=2)


@pytest.mark.parametrize("start_s", [0.04, 1.0, 12.5, 23.9])
def test_start_in_an_avi_gives_the_frames_from_that_time_on(tmp_path: Path, start_s: float) -> None:
    """Near the beginning and far behind it, with the same pictures at the same times as without a start."""
    pictures = 6 * noise_pictures(100, (48, 64))  # 24 s
    clip = Clip(frames=600, size=(48, 64), pictures=pictures, options={"bf": "3"}, gop=60)
    path = clip.write(tmp_path / "clip.avi")
    with VideoFileSource(path) as whole:
        expected = [(f.pts, float(f.planes().y.mean())) for f in whole if f.time_s >= start_s - 1e-9]
    with VideoFileSource(path, start_s=start_s) as source:
        assert [(f.pts, float(f.planes().y.mean())) for f in source] == expected
    assert expected[-1][0] == 599


def test_a_picture_that_is_lost_moves_the_others_no_further_than_the_next_key_frame(tmp_path: Path) -> None:
    """From there on every frame has its own time again, and the length of the file stays."""
    clip = Clip(frames=40, size=(128, 192), pictures=noise_pictures(40), options={"bf": "0", "preset": "ultrafast"})
    path = clip.write(tmp_path / "clip.avi")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        lost = [packet for packet in container.demux(video=0) if packet.size][13]
        place, size = data.index(bytes(lost)), lost.size
    data[place : place + size] = bytes(size)
    path.write_bytes(data)
    with VideoFileSource(path, threads=1) as source:
        times = [frame.pts for frame in source]
    assert times[-20:] == list(range(20, 40))


def test_pictures_that_an_avi_repeats_keep_their_time(tmp_path: Path) -> None:
    """Recorders write an empty chunk where nothing changed: the picture before it stays for as long."""
    shown = [0, 1, 2, 5, 6, 9]
    path = Clip(frames=6, codec="mjpeg", pix_fmt="yuvj420p", pts=shown).write(tmp_path / "clip.avi")
    with VideoFileSource(path) as source:
        assert [frame.pts for frame in source] == shown


@pytest.mark.parametrize("sound", ["mp3", "pcm_s16le"])
def test_behind_a_loss_in_an_avi_pictures_and_sound_have_their_own_times(tmp_path: Path, sound: str) -> None:
    """FFmpeg counts what it finds; the index at the end knows where each piece belongs."""
    pictures = noise_pictures(60, (64, 96))
    clip = Clip(frames=60, pictures=pictures, codec="mpeg4", sound=sound, options={"qmax": "4"})
    path = clip.write(tmp_path / "clip.avi")

    def read() -> tuple[list[int | None], float, VideoFileSource]:
        with VideoFileSource(path) as source:
            assert source.info.tracks is not None
            heard = source.info.tracks.subscribe("audio")
            times = [frame.pts for frame in source]
            return times, max(packet.begin_s for packet in heard.take(99)), source

    whole, end_s, source = read()
    assert source.damage is None
    data = bytearray(path.read_bytes())
    begin, length = len(data) // 3, len(data) // 8
    data[begin : begin + length] = bytes(length)
    path.write_bytes(data)
    times, now_end_s, source = read()
    assert len(times) < len(whole) - 3
    assert set(times) <= set(whole)
    assert times[-20:] == whole[-20:]
    assert now_end_s == pytest.approx(end_s, abs=0.03)
    ((from_s, to_s),) = source.lost
    assert {time for time in whole if time not in times} <= set(range(round(from_s * 25), round(to_s * 25) + 1))


def test_an_empty_piece_of_a_whole_avi_is_no_loss(tmp_path: Path) -> None:
    """Its header counts it as a frame; encoders that begin a frame late leave one."""
    path = Clip(frames=20, codec="mpeg4", pts=[0, *range(2, 21)], sound="mp3").write(tmp_path / "clip.avi")
    with VideoFileSource(path) as source:
        times = [frame.pts for frame in source]
        assert len(times) == 20
        assert times[1] > 1  # there is an empty piece
        assert source.damage is None

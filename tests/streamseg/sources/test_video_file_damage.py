"""Damaged, cut off and wrong files: every frame that can be had, one line about the rest, nothing on the terminal."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamseg import SourceError, open_source
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip, noise_pictures

FASTSTART = {"movflags": "faststart"}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
FRAMES = 80


def noisy(codec: str = "libx264", **settings: Any) -> Clip:
    """A clip whose bytes are nearly all picture data."""
    if codec == "libx264":
        settings["options"] = {"preset": "ultrafast"} | settings.get("options", {})
    return Clip(frames=FRAMES, size=(128, 192), pictures=noise_pictures(FRAMES), codec=codec, **settings)


def cut(path: Path, share: float) -> Path:
    """Leave only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def read_all(path: Path) -> tuple[int, str]:
    """How many frames came, and the error behind them."""
    count = 0
    with open_source(str(path)) as source, pytest.raises(SourceError) as caught:
        for _ in source:
            count += 1
    assert source.read() is None
    return count, str(caught.value)


@pytest.mark.parametrize("bf", ["0", "3"])
@pytest.mark.parametrize("share", [0.3, 0.62, 0.97])
@pytest.mark.parametrize(
    ("name", "codec", "container_options"),
    [
        ("clip.mp4", "libx264", FASTSTART),
        ("fragmented.mp4", "libx264", FRAGMENTED),
        ("clip.mov", "mpeg4", FASTSTART),
        ("clip.mkv", "libx264", {}),
        ("clip.avi", "mpeg4", {}),
    ],
)
def test_cut_off_file_gives_what_is_there_and_then_says_so(
    tmp_path: Path, name: str, codec: str, container_options: dict[str, str], share: float, bf: str
) -> None:
    """No frame in front of the cut is lost, and the line tells how far the file went."""
    clip = noisy(
        codec, options={"bf": bf}, container_options=container_options, sound="aac" if name[0] == "c" else None
    )
    path = cut(clip.write(tmp_path / name), share)
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "SLICE"  # the reference: nothing held back
        expected = 0
        for packet in container.demux(video=0):
            try:
                expected += len(packet.decode())
            except av.FFmpegError:
                continue
    count, message = read_all(path)
    assert count == expected
    assert 0.1 * FRAMES < count <= FRAMES
    assert "breaks off after" in message
    assert f"{count} frames read" in message
    assert "truncated or damaged" in message
    assert name in message
    assert "\n" not in message


def test_cut_off_webm_and_gif_are_noticed(tmp_path: Path) -> None:
    """Formats whose decoders stop at a cut as if nothing had happened."""
    webm = cut(noisy("libvpx", options={"deadline": "realtime"}).write(tmp_path / "clip.webm"), 0.5)
    gif = cut(noisy("gif", pix_fmt="rgb8").write(tmp_path / "clip.gif"), 0.5)
    for path in (webm, gif):
        count, message = read_all(path)
        assert 0 < count < FRAMES
        assert "breaks off" in message


def test_whole_files_raise_no_alarm(tmp_path: Path) -> None:
    """Every container that is checked for a cut, as its muxer leaves it, and a live Matroska of unknown length."""
    names = ["a.mp4", "b.mov", "c.mkv", "d.avi", "e.gif", "f.ts", "g.webm"]
    codecs = {"e.gif": ("gif", "rgb8"), "g.webm": ("libvpx", "yuv420p"), "d.avi": ("mpeg4", "yuv420p")}
    clips = [(n, *codecs.get(n, ("libx264", "yuv420p")), {}) for n in names]
    clips += [("h.mp4", "libx264", "yuv420p", FRAGMENTED), ("i.mkv", "libx264", "yuv420p", {"live": "1"})]
    for name, codec, pix_fmt, container_options in clips:
        clip = Clip(frames=12, codec=codec, pix_fmt=pix_fmt, container_options=container_options)
        with open_source(str(clip.write(tmp_path / name))) as source:
            assert len(list(source)) == 12, name
            assert source.damage is None, name


BEHIND_THE_END = {
    "text": b"camera,speed\n2026-11-30 10:00:00,48\n",
    "a lonely line end": b"\r\n",
    "records with a mark at their end": bytes(range(200)) + b"8db42d694ccc418790edff439fe026bf",
    "zeros": bytes(5000),
    "a box that never ends": b"\xff\xff\xff\xf0gps0" + bytes(16),
}


@pytest.mark.parametrize("behind", BEHIND_THE_END.values(), ids=list(BEHIND_THE_END))
@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "container_options"),
    [
        ("a.mp4", "libx264", "yuv420p", {}),
        ("b.mp4", "libx264", "yuv420p", FRAGMENTED),
        ("c.mov", "libx264", "yuv420p", FASTSTART),
        ("d.gif", "gif", "rgb8", {}),
        ("e.avi", "mpeg4", "yuv420p", {}),
        ("f.mkv", "libx264", "yuv420p", {}),
    ],
)
def test_bytes_behind_the_end_are_no_cut(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, container_options: dict[str, str], behind: bytes
) -> None:
    """Cameras put records of their own there; all frames come, and no alarm."""
    clip = Clip(frames=12, codec=codec, pix_fmt=pix_fmt, container_options=container_options)
    path = clip.write(tmp_path / name)
    path.write_bytes(path.read_bytes() + behind)
    with open_source(str(path)) as source:
        assert len(list(source)) == 12
        assert source.damage is None


def test_an_avi_that_went_through_a_pipe_is_whole(tmp_path: Path) -> None:
    """Nobody could go back to write the length: it says 0, or as much as it can."""
    path = Clip(frames=12, codec="mpeg4").write(tmp_path / "clip.avi")
    data = bytearray(path.read_bytes())
    for length in (0, 0xFFFFFFFF):
        data[4:8] = length.to_bytes(4, "little")
        path.write_bytes(data)
        with open_source(str(path)) as source:
            assert len(list(source)) == 12


@pytest.mark.parametrize("threads", [1, None])
def test_flipped_bits_are_stepped_over_and_the_frames_marked(tmp_path: Path, threads: int | None) -> None:
    """Bit errors in the picture data: all frames come, and those that the decoder had to mend are marked."""
    path = noisy(options={"bf": "0"}, container_options=FASTSTART).write(tmp_path / "flipped.mp4")
    data = bytearray(path.read_bytes())
    place = random.Random(1)
    start = data.index(b"mdat") + 1000
    for _ in range(12):
        data[place.randrange(start, len(data))] ^= 1 << place.randrange(8)
    path.write_bytes(data)
    with VideoFileSource(path, threads=threads) as source:
        frames = list(source)
        damaged = sum(frame.damaged for frame in frames)
        assert damaged or source.damage
    assert len(frames) >= FRAMES - 12
    assert 1 <= damaged <= 24
    assert (np.diff([frame.time_s for frame in frames]) > 0).all()


def test_packets_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    """A hole of zeros over whole pictures: the rest is read, and `damage` tells the number."""
    path = noisy("mjpeg", pix_fmt="yuvj420p").write(tmp_path / "hole.avi")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = bytes(len(data) // 20)
    path.write_bytes(data)
    with VideoFileSource(path) as source:
        count = len(list(source))
        lost_or_marked = source.damage
    assert FRAMES * 0.8 < count <= FRAMES
    assert lost_or_marked is not None
    assert "damaged" in lost_or_marked


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.mp4", b"", "is empty (0 bytes)"),
        ("text.mp4", b"This is a shopping list, not a video.\n" * 50, "is not a video that FFmpeg can read"),
        ("notes.txt", b"This is a shopping list, not a video.\n" * 50, "is a text file"),
        ("random.mp4", random.Random(0).randbytes(5000), "is not a video that FFmpeg can read"),
        ("only_header.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "has no index (moov)"),
    ],
)
def test_files_that_are_no_videos_get_one_line(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    """The line names the file and what is wrong with it."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        open_source(str(path))
    message = str(caught.value)
    assert expected in message
    assert name in message
    assert "\n" not in message


def test_mp4_cut_before_its_index_names_the_index(tmp_path: Path) -> None:
    """A recording that was cut off by a power failure has all its pictures and no way to find them."""
    path = cut(noisy().write(tmp_path / "clip.mp4"), 0.8)
    with pytest.raises(SourceError, match=r"clip\.mp4' has no index \(moov\).*untrunc"):
        open_source(str(path))


def test_sound_without_pictures_is_said(tmp_path: Path) -> None:
    """Also when there is a cover picture in the file."""
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        audio = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    with pytest.raises(SourceError, match="holds sound only, expected a video file"):
        open_source(str(path))


def test_video_track_without_frames_is_said(tmp_path: Path) -> None:
    """A recording that was stopped before its first picture."""
    path = tmp_path / "none.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 64, 96, "yuv420p"
        container.start_encoding()
    with pytest.raises(SourceError, match=r"none\.mkv.*(without a frame|not a video)"):
        open_source(str(path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    """Permission denied, with the name."""
    path = Clip(frames=2).write(tmp_path / "private.mp4")
    path.chmod(0)
    with pytest.raises(SourceError, match=r"private\.mp4.*permission denied"):
        open_source(str(path))


def test_nothing_is_printed_about_damage(tmp_path: Path) -> None:
    """Neither FFmpeg's nor OpenCV's own complaints reach the terminal, with either reader."""
    path = cut(noisy(container_options=FASTSTART).write(tmp_path / "clip.mp4"), 0.5)
    code = """
import sys
from streamseg import SourceError, open_source
for reader in ("pyav", "opencv"):
    try:
        for frame in open_source(sys.argv[1], reader=reader):
            pass
    except SourceError:
        pass
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, str(path)], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.avi", "mpeg4", "yuv420p"),
        ("b.flv", "libx264", "yuv420p"),
        ("c.mpg", "mpeg2video", "yuv420p"),
        ("d.mov", "mjpeg", "yuvj420p"),
        ("e.wmv", "wmv2", "yuv420p"),
    ],
)
def test_zeros_in_other_containers_are_said(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    """Every kind notices in its own way that frames are missing, and none ends the run."""
    path = noisy(codec, pix_fmt=pix_fmt).write(tmp_path / name)
    with open_source(str(path)) as source:
        assert len(list(source)) == FRAMES
        assert source.damage is None
    data = bytearray(path.read_bytes())
    place = len(data) // 2
    data[place : place + 4096] = bytes(4096)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        frames = list(source)
        assert 0.7 * FRAMES < len(frames) <= FRAMES
        assert source.damage is not None or any(frame.damaged for frame in frames)


def test_zeros_in_a_wmv_are_said_with_their_time(tmp_path: Path) -> None:
    """Its packets say how they begin; FFmpeg looks for the next one in silence, and the time is told."""
    path = noisy("wmv2").write(tmp_path / "clip.wmv")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 16_000] = bytes(16_000)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        assert 0 < len(list(source)) < FRAMES
        assert source.damage is not None
        assert "parts of the container are overwritten" in source.damage
        ((from_s, to_s),) = source.lost
    assert 1.0 < from_s < to_s < 2.5


MATROSKA = [
    ("a.mkv", "libx264", {"cluster_time_limit": "500"}),
    ("b.mkv", "libx264", {"cluster_time_limit": "500", "live": "1"}),
    ("c.mkv", "libx264", {"cues_to_front": "1", "reserve_index_space": "2000"}),
    ("d.webm", "libvpx", {"cluster_time_limit": "500"}),
]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
@pytest.mark.parametrize(("name", "codec", "container_options"), MATROSKA)
def test_zeros_in_matroska_are_said(
    tmp_path: Path, name: str, codec: str, container_options: dict[str, str], share: float
) -> None:
    """A lost cluster of a disk, 4 KiB: its reader steps over what the zeros hit, and far beyond, in silence."""
    options = {"deadline": "realtime"} if codec == "libvpx" else {}
    path = noisy(codec, options=options, container_options=container_options).write(tmp_path / name)
    with open_source(str(path)) as source:
        assert len(list(source)) == FRAMES
        assert source.damage is None
    data = bytearray(path.read_bytes())
    place = int(len(data) * share)
    data[place : place + 4096] = bytes(4096)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        assert 0 < len(list(source)) < FRAMES
        assert source.damage is not None
        assert "parts of the container are overwritten" in source.damage


@pytest.mark.parametrize(("name", "codec", "container_options"), [MATROSKA[0], MATROSKA[3]])
def test_what_lies_behind_zeros_in_a_cluster_is_read(
    tmp_path: Path, name: str, codec: str, container_options: dict[str, str]
) -> None:
    """FFmpeg goes on with the next cluster, seconds later; only what the zeros hit is lost, and its time is told."""
    options = {"deadline": "realtime"} if codec == "libvpx" else {"bf": "0"}
    one_cluster = {"cluster_time_limit": "30000", "cluster_size_limit": "9000000"}
    clip = noisy(codec, options=options, container_options=one_cluster, sound="libopus")
    data = bytearray(clip.write(tmp_path / name).read_bytes())
    place = len(data) // 4
    data[place : place + 4096] = bytes(4096)
    path = tmp_path / f"zeros_{name}"
    path.write_bytes(data)
    with open_source(str(path)) as source:
        assert source.info.tracks is not None
        sound = source.info.tracks.subscribe("audio")
        times = [frame.time_s for frame in source]
        ((from_s, to_s),) = source.lost
    gap = int(np.argmax(np.diff(times)))
    assert len(times) >= 0.75 * FRAMES
    assert (np.diff(times) > 0).all()
    assert times[gap] - 0.05 <= from_s < to_s <= times[gap + 1] + 0.05
    begins = [packet.begin_s for packet in sound.take(99.0)]
    assert (np.diff(begins) > 0).all()
    assert len(begins) >= 0.9 * FRAMES / 25 * 50


@pytest.mark.parametrize(("name", "codec", "container_options"), MATROSKA)
def test_matroska_read_in_part_raises_no_alarm(
    tmp_path: Path, name: str, codec: str, container_options: dict[str, str]
) -> None:
    """Fewer frames than the header promises are no damage by themselves."""
    times = [3 * index for index in range(30)]
    clip = Clip(frames=30, codec=codec, container_options=container_options, sound="libopus", pts=times)
    path = clip.write(tmp_path / name)
    with VideoFileSource(path, start_s=1.0) as source:
        assert len(list(source)) < 30
        assert source.damage is None

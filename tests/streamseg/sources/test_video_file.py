"""Video files: every frame, in order, at its own time, whatever the container."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg import SourceError, open_source
from streamseg.sources.video_file import VideoFileSource
from tests.streamseg.sources.clips import Clip, grey_frame, luma_of, luma_values, needs_ffmpeg, noise_pictures

LOSSLESS = {"qp": "0", "preset": "ultrafast"}


@pytest.mark.parametrize("threads", [None, 1, 4])
def test_every_frame_comes_once_and_in_order(tmp_path: Path, threads: int | None) -> None:
    """B-frames are stored out of order and handed out in order, with any number of decoder threads."""
    path = Clip(frames=60, options={"qp": "0", "bf": "3"}).write(tmp_path / "clip.mp4")
    with VideoFileSource(path, threads=threads) as source:
        assert luma_values(source) == [luma_of(k) for k in range(60)]
        assert source.damage is None


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("clip.mkv", "ffv1", "yuv420p"),
        ("clip.webm", "libvpx", "yuv420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
        ("clip.mov", "mjpeg", "yuvj420p"),
        ("clip.ts", "libx264", "yuv420p"),
        ("clip.flv", "libx264", "yuv420p"),
        ("clip.mpg", "mpeg2video", "yuv420p"),
        ("clip.wmv", "wmv2", "yuv420p"),
        ("clip.h264", "libx264", "yuv420p"),
    ],
)
def test_containers_and_codecs_give_all_their_frames(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    """Count, order and an increasing clock in containers of every kind."""
    path = Clip(frames=40, codec=codec, pix_fmt=pix_fmt).write(tmp_path / name)
    with open_source(str(path)) as source:
        frames = list(source)
        assert [frame.index for frame in frames] == list(range(40))
        assert source.info.fps == 25
        assert source.info.time_base is not None
        times = [frame.pts * source.info.time_base for frame in frames]
        assert np.diff([float(t) for t in times]) == pytest.approx(np.full(39, 0.04), abs=0.0015)
        values = [float(frame.planes().y.mean()) for frame in frames]
        if codec != "mjpeg":  # which is full range
            assert values == pytest.approx([luma_of(k) for k in range(40)], abs=4)


def test_irregular_times_are_kept_exactly(tmp_path: Path) -> None:
    """A variable frame rate, as phones and dashcams record it, is not re-timed."""
    pts = [0, 1500, 1501, 9000, 9450, 30000, 90000, 90009]
    clip = Clip(frames=8, time_base=Fraction(1, 90000), pts=pts, options={"preset": "ultrafast"})
    with VideoFileSource(clip.write(tmp_path / "variable.mp4")) as source:
        assert source.info.time_base is not None
        assert [frame.pts * source.info.time_base for frame in source] == [Fraction(t, 90000) for t in pts]


def test_ntsc_rate_is_a_fraction(tmp_path: Path) -> None:
    """29.97 is 30000/1001, and frame times are multiples of its inverse."""
    path = Clip(frames=30, rate=Fraction(30000, 1001)).write(tmp_path / "ntsc.mp4")
    with VideoFileSource(path) as source:
        assert source.info.fps == Fraction(30000, 1001)
        assert source.info.time_base is not None
        assert [f.pts * source.info.time_base for f in source] == [k * Fraction(1001, 30000) for k in range(30)]


def test_transport_stream_starts_at_zero(tmp_path: Path) -> None:
    """Transport streams start at any time of day; frames and sound count from the start."""
    clip = Clip(frames=30, sound="aac", container_options={"output_ts_offset": "4000"})
    path = clip.write(tmp_path / "clip.ts")
    with av.open(str(path)) as container:
        origin_s = container.start_time / av.time_base
    assert origin_s > 3999
    with VideoFileSource(path) as source:
        assert source.info.tracks is not None
        sound = source.info.tracks.subscribe("audio")
        times = [frame.time_s for frame in source]
        assert next(sound.take(1.0)).begin_s == pytest.approx(0, abs=0.03)
    assert 0 <= times[0] < 0.1
    assert times[-1] - times[0] == pytest.approx(29 / 25, abs=1e-3)


def test_joined_recordings_go_on_after_the_clock_was_reset(tmp_path: Path) -> None:
    """Two transport streams one behind the other: all frames, times go forward, no gap and no pile-up."""
    part = Clip(frames=50, options={"preset": "ultrafast", "bf": "0"}).write(tmp_path / "part.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    with VideoFileSource(joined) as source:
        times = [frame.time_s for frame in source]
    assert len(times) == 100
    assert np.diff(times) == pytest.approx(np.full(99, 0.04), abs=0.001)


@pytest.mark.parametrize("size", [(63, 97), (1, 1), (2, 3), (65, 96)])
def test_odd_sizes_keep_their_last_row_and_column(tmp_path: Path, size: tuple[int, int]) -> None:
    """Width and height may be odd; chroma has a sample for the last pixel."""
    path = Clip(frames=2, size=size, codec="ffv1").write(tmp_path / "odd.mkv")
    with VideoFileSource(path) as source:
        frame = source.read()
        assert frame is not None
        assert frame.size == source.info.size == size
        planes = frame.planes()
        assert planes.u.shape == planes.v.shape == ((size[0] + 1) // 2, (size[1] + 1) // 2)
        assert int(planes.y[-1, -1]) == luma_of(0)
        assert frame.bgr().shape == (*size, 3)


def test_planes_are_the_decoders_memory_and_outlive_the_source(tmp_path: Path) -> None:
    """yuv420p is not copied, cannot be written to, and stays good after the file was closed."""
    path = Clip(frames=40, options=LOSSLESS).write(tmp_path / "clip.mp4")
    with VideoFileSource(path) as source:
        frames = list(source)
    for index, frame in enumerate(frames):
        planes = frame.planes()
        assert not planes.y.flags.owndata
        assert not planes.y.flags.writeable
        assert (planes.y == luma_of(index)).all()


@pytest.mark.parametrize("start_s", [0.02, 0.5, 1.0, 3.96])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi", "clip.h264", "clip.flv"])
def test_start_gives_the_frames_from_that_time_on(tmp_path: Path, name: str, start_s: float) -> None:
    """With one key frame in the whole clip too, and in containers that cannot seek; indices count from 0."""
    bf = "0" if name.endswith(("avi", "h264")) else "2"
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    options = {"bf": bf} | ({"qp": "0"} if codec == "libx264" else {"qmax": "2"})
    path = Clip(frames=100, codec=codec, gop=250, options=options, sound=None).write(tmp_path / name)
    with VideoFileSource(path) as whole:
        expected = [(f.pts, round(float(f.planes().y.mean()))) for f in whole if f.time_s >= start_s - 1e-9]
    with VideoFileSource(path, start_s=start_s) as source:
        assert source.info.start_s == start_s
        frames = list(source)
    assert [(f.pts, round(float(f.planes().y.mean()))) for f in frames] == expected
    assert [f.index for f in frames] == list(range(len(expected)))
    assert len(frames) == pytest.approx(100 - start_s * 25, abs=2)


def test_start_behind_the_end_is_an_error(tmp_path: Path) -> None:
    """The message tells how long the clip is."""
    path = Clip(frames=25).write(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match=r"lasts 1\.00 s.*from 7 s on"):
        VideoFileSource(path, start_s=7)


def test_sound_comes_from_the_start_on(tmp_path: Path) -> None:
    """With a little before it, which a decoder needs; at the times of the recording, up to its end."""
    path = Clip(frames=50, sound="aac").write(tmp_path / "loud.mp4")
    with VideoFileSource(path, start_s=1.5) as source:
        assert source.info.tracks is not None
        sound = source.info.tracks.subscribe("audio")
        assert len(list(source)) == 12
    begins = [packet.begin_s for packet in sound.take(9.0)]
    assert 0.4 < begins[0] < 1.45
    assert 1.95 < begins[-1] < 2.0
    assert np.diff(begins) == pytest.approx(np.full(len(begins) - 1, 1024 / 48000))


def test_sound_that_nobody_wants_is_not_kept(tmp_path: Path) -> None:
    """Whoever subscribes after the first frames gets what comes from there on, and that is nothing by then."""
    with VideoFileSource(Clip(frames=50, sound="aac").write(tmp_path / "loud.mp4")) as source:
        assert source.info.tracks is not None
        assert len(list(source)) == 50
        assert list(source.info.tracks.subscribe("audio").take(9.0)) == []
    with VideoFileSource(Clip(frames=5).write(tmp_path / "silent.mp4")) as source:
        assert source.info.tracks is not None
        assert source.info.tracks.of("audio") == ()


def test_info_describes_the_clip(tmp_path: Path) -> None:
    """Size, rate, count, length and codec are known before the first frame."""
    path = Clip(frames=50, size=(64, 96)).write(tmp_path / "clip.mp4")
    with VideoFileSource(path) as source:
        info = source.info
    assert (info.kind, info.height, info.width, info.codec, info.live) == ("video", 64, 96, "h264", False)
    assert (info.fps, info.frame_count, info.duration_s) == (25, 50, 2.0)
    assert info.address == str(path)


def test_pixel_shape_is_told(tmp_path: Path) -> None:
    """Pixels that are not square are left as they are, and their shape is in the info."""
    path = Clip(frames=3, sample_aspect_ratio=Fraction(4, 3)).write(tmp_path / "wide.mp4")
    with VideoFileSource(path) as source:
        assert source.info.sample_aspect_ratio == Fraction(4, 3)
    turned = Clip(frames=3, sample_aspect_ratio=Fraction(4, 3), rotation=(90, False, False))
    with VideoFileSource(turned.write(tmp_path / "turned.mp4")) as source:
        assert source.info.sample_aspect_ratio == Fraction(3, 4)
    with VideoFileSource(Clip(frames=3).write(tmp_path / "square.mp4")) as source:
        assert source.info.sample_aspect_ratio is None


def test_picture_size_may_change_in_mid_stream(tmp_path: Path) -> None:
    """All frames come, at the size of the first."""
    path = tmp_path / "changing.h264"
    parts = [Clip(frames=5, size=size).write(tmp_path / f"{size[0]}.h264") for size in ((64, 96), (96, 128))]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with VideoFileSource(path) as source:
        frames = list(source)
    assert [frame.size for frame in frames] == [(64, 96)] * 10
    assert round(float(frames[-1].planes().y.mean())) == pytest.approx(luma_of(4), abs=2)


def test_animated_gif_is_a_video(tmp_path: Path) -> None:
    """With its own delays between pictures, and its colours."""
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    pictures = [np.full((40, 60, 3), colour, np.uint8) for colour in colours]
    clip = Clip(frames=3, size=(40, 60), codec="gif", pix_fmt="rgb8", rate=Fraction(10), pictures=pictures)
    with open_source(str(clip.write(tmp_path / "anim.gif"))) as source:
        frames = list(source)
        assert source.info.kind == "video"
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.1, 0.2])
    for frame, colour in zip(frames, colours, strict=True):
        assert frame.bgr()[20, 30].tolist() == pytest.approx(colour, abs=40)  # GIF's own palette is coarse
        assert np.argmax(frame.bgr()[20, 30]) == np.argmax(colour)


def test_names_may_hold_any_letters_and_colons(tmp_path: Path) -> None:
    """A colon is no protocol, and names need not be ASCII."""
    clip = Clip(frames=3).write(tmp_path / "clip.mp4")
    for name in ("dräußen 道路.mp4", "rec12:30.mp4", "100%.mp4", "a#b?c.mp4"):
        other = tmp_path / name
        other.write_bytes(clip.read_bytes())
        with open_source(str(other)) as source:
            assert len(list(source)) == 3


def test_cover_art_is_not_the_video(tmp_path: Path) -> None:
    """A picture attached for show is skipped when there is a real video."""
    path = tmp_path / "cover.mkv"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        video = container.add_stream("libx264", rate=25)
        video.height, video.width, video.pix_fmt = 64, 96, "yuv420p"
        container.mux(cover.encode(grey_frame(90, (32, 32), "yuvj420p")))
        for index in range(10):
            container.mux(video.encode(grey_frame(luma_of(index), (64, 96))))
        container.mux(video.encode(None))
    with VideoFileSource(path) as source:
        assert source.info.size == (64, 96)
        assert len(list(source)) == 10


def test_closing_while_another_thread_reads_ends_quietly(tmp_path: Path) -> None:
    """In a process of its own, so that a crash would be seen: reading gives None, nothing is printed."""
    path = Clip(frames=100, size=(480, 640), options={"preset": "ultrafast"}).write(tmp_path / "clip.mp4")
    code = """
import sys, threading
from streamseg import open_source
for many in (0, 1, 10, 30):
    source, read, enough = open_source(sys.argv[1]), [], threading.Event()
    def work():
        for frame in source:
            read.append(frame.planes())
            if len(read) == many:
                enough.set()
    reader = threading.Thread(target=work)
    reader.start()
    if many:
        enough.wait()
    source.close()
    reader.join()
    assert source.read() is None
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, str(path)], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@needs_ffmpeg
def test_times_and_count_are_those_of_ffprobe(tmp_path: Path) -> None:
    """A second opinion on a clip with B-frames, an edit list and sound."""
    pictures = noise_pictures(40)
    clip = Clip(frames=40, size=(128, 192), pictures=pictures, sound="aac", options={"bf": "2"})
    path = clip.write(tmp_path / "clip.mp4")
    asked = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=pts", "-of", "csv=p=0", path]
    out = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    expected = [int(line.strip(",")) for line in out.split()]
    with VideoFileSource(path) as source:
        assert [frame.pts for frame in source] == expected


def clip_with_steps_back(path: Path) -> Path:
    """30 frames of 40 ms, of which 5, 6, 7 and 20 have the time of the one before."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"bf": "0", "preset": "ultrafast"})
        video.height, video.width, video.pix_fmt = 64, 96, "yuv420p"
        packets = [packet for index in range(30) for packet in video.encode(grey_frame(luma_of(index), (64, 96)))]
        for index, packet in enumerate([*packets, *video.encode(None)]):
            stored = 4 if index in (5, 6, 7) else 19 if index == 20 else index
            packet.pts = packet.dts = 40 * stored
            packet.time_base = Fraction(1, 1000)
            container.mux(packet)
    return path


@pytest.mark.parametrize("to_the_end", [True, False])
def test_times_that_repeat_are_moved_and_a_note_says_how_many(tmp_path: Path, to_the_end: bool) -> None:
    """Also where nobody reads on to the end; the frames after them keep their own times."""
    path = clip_with_steps_back(tmp_path / "clip.mkv")
    with VideoFileSource(path) as source:
        times = [source.read().pts for _ in range(25)]
        if to_the_end:
            times += [frame.pts for frame in source]
    assert (np.diff(times) > 0).all()
    assert times[5:9] == [161, 162, 163, 320]
    assert source.notes == ["4 frames claimed to be no later than the one before; moved by a tick"]

"""Odd but valid recordings, built by recipe after what cameras and recorders write, where they are at hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg import Source, open_source
from streamseg.sinks import VideoFileSink
from tests.streamseg.test_one_reader import overlay, times, tones

FILES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "files"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES.is_dir(), reason="the odd recordings are not on this machine"),
]


def times_of(name: str) -> list[Fraction]:
    """When each frame of a file is shown, exact seconds."""
    with open_source(str(FILES / name)) as source:
        assert source.info.time_base is not None
        return [frame.pts * source.info.time_base for frame in source if frame.pts is not None]


def test_a_raw_stream_of_60_frames_a_second_lasts_one_second() -> None:
    """Its rate stands in the stream alone."""
    assert times_of("raw60.h264") == [Fraction(index, 60) for index in range(60)]


def test_an_avi_with_b_frames_has_even_times() -> None:
    """It stores nothing but the order of its compressed pictures."""
    assert times_of("avi_h264.avi") == [Fraction(index, 30) for index in range(30)]


@pytest.mark.parametrize(("name", "frames"), [("trail_insta360.mp4", 30), ("trail_text.mp4", 30), ("gif_crlf.gif", 5)])
def test_a_whole_file_with_bytes_behind_its_end_raises_no_alarm(name: str, frames: int) -> None:
    """Neither an error nor damage."""
    with open_source(str(FILES / name)) as source:
        assert len(list(source)) == frames
        assert source.damage is None
        assert source.notes == []


def test_frames_that_step_back_in_time_are_moved_and_counted() -> None:
    """Four have the time of the frame before."""
    times = times_of("dup2.mkv")
    assert len(times) == 30
    assert sorted(set(times)) == times
    with open_source(str(FILES / "dup2.mkv")) as source:
        assert len(list(source)) == 30
        assert source.notes == ["4 frames claimed to be no later than the one before; moved by a tick"]


def test_what_macos_leaves_beside_pictures_is_passed_over() -> None:
    """Three pictures, no damage."""
    with open_source(str(FILES / "appledouble")) as source:
        assert [frame.name for frame in source] == ["0001", "0002", "0003"]
        assert source.damage is None


def test_a_clip_of_four_pixels_gets_an_overlay_without_words(streamseg, model) -> None:
    """All 15 frames, exit 0."""
    done = streamseg("run", FILES / "tiny2.mkv", "out.mp4", "--model", model)
    assert done.code == 0, done.err
    assert "15 frames in, 15 out" in done.out


def test_the_clean_aperture_is_applied() -> None:
    """The middle 480x320 of 640x360."""
    with open_source(str(FILES / "clap.mp4")) as source:
        frames = list(source)
    assert [frame.size for frame in frames] == [(320, 480)] * 30


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_wide_pixels_are_shown_wide_from_every_kind_of_file(streamseg, model, tmp_path, suffix) -> None:
    """480x360 with pixels of 4:3 is shown as 640x360."""
    done = streamseg("run", FILES / "sar43.mp4", f"out.{suffix}", "--model", model)
    assert done.code == 0, done.err
    with av.open(str(tmp_path / f"out.{suffix}")) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.sample_aspect_ratio) == (480, 360, Fraction(4, 3))


def test_an_interlaced_recording_is_deinterlaced() -> None:
    """12 frames of 1024x576 as shown; hardly a pixel differs from the rows above and below as combs do."""
    with open_source(str(FILES / "interl.ts")) as source:
        assert source.info.sample_aspect_ratio == Fraction(64, 45)
        frames = list(source)
    assert len(frames) == 12
    for frame in frames:
        rows = frame.planes().y.astype(int)
        above, below = rows[1:-1] - rows[:-2], rows[1:-1] - rows[2:]
        combs = (np.minimum(above, below) > 20) | (np.maximum(above, below) < -20)
        assert combs.mean() <= 0.002


@pytest.mark.parametrize("name", ["true_pq.mp4", "true_hlg.mp4"])
def test_a_recording_in_high_range_is_as_bright_as_on_a_display(name: str) -> None:
    """The bar of three quarters of white shows 189 of 255, and the file says that it is BT.709."""
    with open_source(str(FILES / name)) as source:
        frames = list(source)
        assert source.info.color_tags == (1, 1, 1)
    assert len(frames) == 5
    assert frames[2].bgr()[100, 120].tolist() == pytest.approx([189] * 3, abs=4)


def copied(name: str, path: Path, **options: float) -> tuple[list[float], dict[float, int], Source, VideoFileSink]:
    """When each picture of a file's overlay is shown, the tone of each quarter of a second, the source and the sink."""
    with open_source(str(FILES / name), **options) as source:
        sink = overlay(source, path)
    return times(path), tones(path), source, sink


def length_s(shown: list[float]) -> float:
    """From the first picture to the end of the last, at 30 frames a second."""
    return shown[-1] - shown[0] + 1 / 30


@pytest.mark.parametrize("name", ["joined.ts", "joined2.ts"])
def test_joined_transport_streams_are_as_long_as_their_parts(tmp_path: Path, name: str) -> None:
    """180 frames, 440 Hz and then 880 Hz, no damage; also from 4 s on."""
    shown, heard, source, _ = copied(name, tmp_path / "out.mp4")
    assert len(shown) == 180
    assert length_s(shown) == pytest.approx(6.0, abs=0.05)
    assert [heard[quarter / 4] for quarter in range(24)] == [440] * 12 + [880] * 12
    assert source.damage is None
    shown, heard, _, _ = copied(name, tmp_path / "part.mp4", start_s=4)
    assert len(shown) == 60
    assert set(heard.values()) == {880}


def test_a_microphone_that_is_off_costs_nothing_else(tmp_path: Path) -> None:
    """60 frames, no sound, a note."""
    with open_source(str(FILES / "noaud_aac.ts")) as source:
        sink = overlay(source, tmp_path / "out.mp4")
        assert source.damage is None
    assert length_s(times(tmp_path / "out.mp4")) == pytest.approx(2.0, abs=0.05)
    assert sink.notes == ["sound left out: a track is announced, but there is nothing in it to begin with"]


def test_sound_goes_on_behind_a_lost_cluster(tmp_path: Path) -> None:
    """168 frames are left; the hole of 0.4 s is told."""
    shown, heard, source, _ = copied("jo_zeros70k.ts", tmp_path / "out.mp4")
    assert len(shown) == 168
    assert length_s(shown) == pytest.approx(6.0, abs=0.05)
    assert {quarter / 4 for quarter in range(24)} - set(heard) <= {2.0, 2.25}  # the hole is 0.4 s
    assert source.damage == "parts cannot be read (2.09 to 2.49 s)"


def test_bytes_put_into_a_transport_stream_cost_one_packet(tmp_path: Path) -> None:
    """All 180 frames and all sound."""
    shown, heard, source, _ = copied("jk_ff140k.ts", tmp_path / "out.mp4")
    assert len(shown) == 180
    assert length_s(shown) == pytest.approx(6.0, abs=0.05)
    assert sorted(heard)[:24] == [quarter / 4 for quarter in range(24)]
    assert source.damage == "parts cannot be read (2.02 to 2.05 s)"


def test_gps_behind_a_transport_stream_is_passed_over(tmp_path: Path) -> None:
    """30 frames, sound to its end, not a word."""
    shown, heard, source, sink = copied("lgt.ts", tmp_path / "out.mp4")
    assert len(shown) == 30
    assert heard[0.75] == 440
    assert [source.damage, *source.notes, *sink.notes] == [None]


def test_what_an_edit_list_cuts_out_of_the_middle_is_gone_without_a_word(tmp_path: Path) -> None:
    """440 Hz, then 1320 Hz, nothing of 880 Hz, and no gap where there is none."""
    shown, heard, source, sink = copied("el_cutmiddle.mp4", tmp_path / "out.mp4")
    assert len(shown) == 60
    assert length_s(shown) == pytest.approx(2.0, abs=0.05)
    assert [heard[quarter / 4] for quarter in range(8)] == [440] * 4 + [1320] * 4
    assert [source.damage, *source.notes, *sink.notes] == [None]

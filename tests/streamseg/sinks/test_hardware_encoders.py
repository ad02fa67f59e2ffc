"""Hardware compresses where it really works; where it does not, x264 does, and who asked for hardware is told."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from streamseg.errors import SinkError
from streamseg.sinks import SegmentedVideoSink, VideoFileSink, hardware_encoders
from streamseg.sinks.formats import VideoCodec
from streamseg.sinks.hardware_encoders import HARDWARE_ENCODERS, HardwareEncoder, why_not
from tests.streamseg.sinks.recordings import begins, info_of, record, unpainted

SIZE = (360, 640)
INFO = info_of(SIZE)
WORKING = VideoCodec("mpeg4", 5, quality="qmin")  # a codec that opens and gives what is not H.264
IN_PLACE = VideoCodec("libx264", 30, {"preset": "veryfast", "bf": "0", "x264-params": "keyint=7"})


@pytest.fixture
def pretend(monkeypatch):
    """Puts a codec in the place of the only hardware there is."""

    def put(codec: VideoCodec, *, there: bool = True) -> None:
        why_not.cache_clear()
        monkeypatch.setattr(
            hardware_encoders, "HARDWARE_ENCODERS", {"nvenc": HardwareEncoder(codec, lambda: there, "something")}
        )

    yield put
    why_not.cache_clear()


def codec_of(path: Path) -> str:
    """Of the pictures."""
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.name


def made_by_hardware(path: Path) -> bool:
    """By `IN_PLACE`: x264 writes its settings into the pictures."""
    return b"keyint=7 " in path.read_bytes()


@pytest.mark.parametrize("name", HARDWARE_ENCODERS)
def test_hardware_that_is_asked_for_and_not_there_is_an_error_with_the_way_out(tmp_path, name):
    """Before anything is written."""
    if why_not(name, SIZE) is None:
        pytest.skip(f"{name} works on this machine")
    with pytest.raises(SinkError, match=f"encoder '{name}' does not work here: .+; use `encoder=\"x264\"`"):
        VideoFileSink(tmp_path / "out.mp4", INFO, unpainted(), encoder=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", HARDWARE_ENCODERS)
def test_hardware_that_works_writes_every_frame(tmp_path, name):
    """Named, or by itself with a note."""
    if (reason := why_not(name, SIZE)) is not None:
        pytest.skip(f"{name} does not work on this machine: {reason}")
    sink = VideoFileSink(tmp_path / "out.mp4", INFO, unpainted(), encoder=name)
    record(sink, range(20), size=SIZE)
    assert codec_of(tmp_path / "out.mp4") == "h264"
    assert len(begins(tmp_path / "out.mp4")) == 20


def test_by_itself_hardware_is_taken_if_it_works_and_that_is_said(tmp_path, pretend):
    """Times stay exact."""
    pretend(IN_PLACE)
    sink = VideoFileSink(tmp_path / "out.mp4", INFO, unpainted())
    record(sink, range(20), size=SIZE)
    assert made_by_hardware(tmp_path / "out.mp4")
    assert sink.notes == ["pictures were compressed by libx264"]
    assert begins(tmp_path / "out.mp4") == [number * INFO.time_base for number in range(20)]


@pytest.mark.parametrize("there", [True, False], ids=["there", "not there"])
def test_hardware_that_fails_in_the_trial_is_left_out(tmp_path, pretend, there):
    """With a note where there should be such hardware, and silently where there is none."""
    pretend(WORKING, there=there)
    sink = VideoFileSink(tmp_path / "out.mp4", INFO, unpainted())
    record(sink, range(20), size=SIZE)
    assert codec_of(tmp_path / "out.mp4") == "h264"
    assert [note.partition(":")[0] for note in sink.notes] == (["nvenc is not used"] if there else [])


def test_what_is_set_for_x264_is_compressed_by_x264(tmp_path, pretend):
    """A quality or preset of x264 means nothing to others."""
    pretend(IN_PLACE)
    for settings in ({"crf": 30}, {"preset": "veryfast"}, {"encoder": "x264"}):
        sink = VideoFileSink(tmp_path / "out.mp4", INFO, unpainted(), overwrite=True, **settings)
        record(sink, range(20), size=SIZE)
        assert not made_by_hardware(tmp_path / "out.mp4")
        assert sink.notes == []


def test_webm_holds_no_h264(tmp_path, pretend):
    """Asked for, an error; by itself, VP9 as ever."""
    pretend(IN_PLACE)
    with pytest.raises(SinkError, match=r"'nvenc' makes H\.264, which does not fit into '.*webm'; name a \.mp4"):
        VideoFileSink(tmp_path / "out.webm", INFO, unpainted(), encoder="nvenc")
    record(VideoFileSink(tmp_path / "out.webm", INFO, unpainted()), range(3), size=SIZE)
    assert codec_of(tmp_path / "out.webm") == "vp9"


def test_segments_say_once_what_compressed_them(tmp_path, pretend):
    """However many there are."""
    pretend(IN_PLACE)
    live = info_of(SIZE, live=True, time_base=None)
    sink = SegmentedVideoSink(tmp_path / "out.mkv", live, unpainted(), length_s=0.3, overwrite=True)
    record(sink, range(20), size=SIZE)
    assert sink.notes == ["pictures were compressed by libx264"]


def test_the_command_line_says_it_in_one_line(streamseg, clip, model):
    """Exit code 5 for an encoder, 3 for a decoder, 2 where neither has a place."""
    if why_not("vaapi", SIZE) is None:
        pytest.skip("VA-API works on this machine")
    for options, code, way_out in (
        (("out.mp4", "--encoder", "vaapi"), 5, "use --encoder x264"),
        (("out.mp4", "--decoder", "vaapi"), 3, "use --decoder cpu or --decoder auto"),
        (("null:", "--encoder", "x264"), 2, "name an OUTPUT that ends in .mp4"),
    ):
        done = streamseg("run", clip, *options, "--model", model)
        assert (done.code, done.err.count("\n")) == (code, 1), done.err
        assert way_out in done.err

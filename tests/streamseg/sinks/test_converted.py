"""What is recorded may have another height and another rate, and lasts as long as before."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamseg.errors import SinkError, UsageError
from streamseg.frame import Frame, StreamInfo
from streamseg.segmentation import Segmentation
from streamseg.sinks.bit_rate import at_rate
from streamseg.sinks.converted import Converted, converted_info, exact_rate
from streamseg.sinks.formats import FORMATS
from streamseg.sinks.hardware_encoders import HARDWARE_ENCODERS
from streamseg.sinks.memory import MemorySink
from streamseg.sinks.video_file import VideoFileSink
from tests.builders import THREE_CLASSES
from tests.streamseg.sinks.recordings import unpainted

TICK = Fraction(1, 1000)
INFO = StreamInfo("clip.mp4", "video", 48, 64, fps=Fraction(30), time_base=TICK, duration_s=1.0, bit_rate=100_000)


def shown(
    times_ms: list[int], fps: float, info: StreamInfo = INFO
) -> tuple[list[tuple[int, float]], MemorySink, Converted]:
    """(index of the frame in the source, time it is shown at) of each picture that comes out."""
    memory = MemorySink()
    sink = Converted(lambda _: memory, info, fps=fps)
    for index, each in enumerate(times_ms):
        pixels = np.full((48, 64, 3), index, np.uint8)
        frame = Frame(index, each / 1000, pixels, pts=None if info.live else each)
        sink.write(Segmentation(frame, np.zeros((48, 64), np.uint8), THREE_CLASSES))
    sink.close("complete")
    pictures = [(int(each.frame.bgr()[0, 0, 0]), round(each.frame.time_s, 6)) for each in memory.segmentations]
    return pictures, memory, sink


def test_every_second_frame_of_sixty_makes_thirty():
    """Evenly, and the film is as long as before."""
    pictures, memory, sink = shown([round(1000 * i / 60) for i in range(60)], 30)
    assert [time for _, time in pictures] == pytest.approx([i / 30 for i in range(30)], abs=1e-6)
    steps = np.diff([index for index, _ in pictures])
    assert set(steps.tolist()) <= {1, 2, 3}
    assert [each.frame.index for each in memory.segmentations] == list(range(30))
    assert [each.frame.pts for each in memory.segmentations] == list(range(30))
    assert sink.notes == ["frames for 30 a second: 30 left out"]
    assert memory.outcome == "complete"


def test_frames_that_last_long_are_repeated():
    """A phone's recording that stood still for half a second; each picture shows what was seen then."""
    pictures, _, sink = shown([0, 100, 600, 700], 10)
    assert pictures == [(0, 0.0), *[(1, i / 10) for i in range(1, 6)], (2, 0.6), (3, 0.7)]
    assert sink.notes == ["frames for 10 a second: 4 repeated"]


@pytest.mark.parametrize("start_s", [0.0, 4.02])
def test_times_are_those_of_the_source(start_s):
    """Also with --start: pictures count from there, as the sound does."""
    begin = round(1000 * start_s)
    pictures, memory, _ = shown([begin + 40 * i for i in range(25)], 12.5, replace(INFO, start_s=start_s))
    assert pictures[0][1] == pytest.approx(start_s, abs=0.04)
    assert pictures[-1][1] == pytest.approx(start_s + 12 / 12.5, abs=0.04)
    assert memory.segmentations[0].frame.pts == round(start_s * 12.5)


def test_a_live_source_begins_when_it_was_first_seen():
    """Its frames have no clock of their own."""
    pictures, memory, _ = shown([7000, 7100, 7150, 7300], 10, replace(INFO, live=True, time_base=None))
    assert [index for index, _ in pictures] == [0, 1, 2, 3, 3]
    assert [time for _, time in pictures] == pytest.approx([7.0, 7.1, 7.2, 7.3, 7.4])
    assert memory.segmentations[0].frame.pts is None


def test_one_frame_is_one_picture_and_none_are_none():
    """Whatever the rate is."""
    assert shown([0], 1)[0] == [(0, 0.0)]
    assert shown([], 1)[0] == []


def test_a_time_that_steps_back_is_left_out():
    """A picture is never shown before one that was shown already."""
    assert [time for _, time in shown([0, 100, 50, 200, 300], 10)[0]] == [0.0, 0.1, 0.2, 0.3]


def test_what_fails_while_the_last_frame_is_shown_fails_the_other_sink():
    """So that it leaves nothing half written."""

    class Full(MemorySink):
        def write(self, _segmentation: Segmentation) -> None:
            raise SinkError("no space")

    full = Full()
    sink = Converted(lambda _: full, INFO, fps=10)
    sink.write(
        Segmentation(Frame(0, 0.0, np.zeros((48, 64, 3), np.uint8), pts=0), np.zeros((4, 4), np.uint8), THREE_CLASSES)
    )
    with pytest.raises(SinkError, match="no space"):
        sink.close("complete")
    assert full.outcome == "failed"


def test_a_height_keeps_the_shape():
    """Of planes and of BGR, with an even width; the size that is told before is the one that comes."""
    infos: list[StreamInfo] = []
    memory = MemorySink()
    memory.tracks_kept = ["sound 1"]  # as a video says of what lies beside its pictures

    def opened(info: StreamInfo) -> MemorySink:
        infos.append(info)
        return memory

    sink = Converted(opened, replace(INFO, height=90, width=160), height=50)
    planes = Frame(0, 0.0, np.zeros((90, 160, 3), np.uint8)).planes()
    for pixels in (np.zeros((90, 160, 3), np.uint8), planes):
        sink.write(Segmentation(Frame(0, 0.0, pixels, pts=0), np.zeros((4, 4), np.uint8), THREE_CLASSES))
    sink.close("complete")
    assert infos[0].size == (50, 88)
    assert [each.frame.size for each in memory.segmentations] == [(50, 88)] * 2
    assert [each.frame.native for each in memory.segmentations] == ["bgr", "yuv420"]
    assert infos[0].bit_rate < INFO.bit_rate
    assert sink.notes == []
    assert (sink.tracks_kept, sink.tracks_left_out) == (["sound 1"], [])


@pytest.mark.parametrize(("fps", "exact"), [(29.97, "30000/1001"), (23.976, "24000/1001"), (30, "30"), (12.5, "25/2")])
def test_rates_are_those_of_film_and_television(fps, exact):
    """29.97 is what people type for 30000/1001."""
    assert exact_rate(fps) == Fraction(exact)
    assert converted_info(INFO, None, exact_rate(fps)).frame_count == round(Fraction(exact))


X264 = FORMATS[".mp4"].video


def settings(codec=X264, size=(48, 64), source=INFO, **how: int) -> dict[str, str]:
    """What the encoder is told."""
    return at_rate(codec, **({"crf": None, "bitrate": None} | how), source=source, size=size, path="out.mp4").settings


def test_a_video_is_about_as_large_as_its_source_by_itself():
    """Constant quality, at most twice the source's bits, two seconds' worth at a time."""
    told = settings(source=replace(INFO, bit_rate=200_000))
    assert (told["crf"], told["maxrate"], told["bufsize"]) == ("23", "400000", "800000")
    assert told["x264-params"] == X264.options["x264-params"]
    assert settings(size=(48, 128))["maxrate"] == "400000"  # two pictures side by side
    assert settings(source=replace(INFO, codec="hevc"))["maxrate"] == "300000"  # which needs fewer bits
    vp9 = settings(FORMATS[".webm"].video)
    assert (vp9["crf"], vp9["b"]) == ("32", "200000")
    assert "maxrate" not in vp9
    assert settings(HARDWARE_ENCODERS["vaapi"].codec)["rc_mode"] == "CQP"  # which has no such cap


def test_few_bits_are_spent_with_more_care():
    """And never fewer than can be looked at; what a caller chose is left alone."""
    few = settings(source=replace(INFO, bit_rate=10))
    assert few["maxrate"] == str(round(0.05 * 48 * 64 * 30))
    assert "subme=1" in few["x264-params"]
    assert "subme=1" not in settings(source=replace(INFO, bit_rate=10), bitrate=20)["x264-params"]


def test_a_quality_that_is_asked_for_has_no_cap():
    """Nor has any where nobody knows the source's rate."""
    assert settings(crf=18) == X264.settings | {"crf": "18"}
    assert settings(source=replace(INFO, bit_rate=None)) == X264.settings


def test_a_bit_rate_that_is_asked_for_goes_before_quality():
    """Of every encoder, in its own words."""
    told = settings(bitrate=1_000_000)
    assert (told["b"], told["maxrate"], told["bufsize"]) == ("1000000", "1500000", "2000000")
    assert "crf" not in told
    mac = settings(HARDWARE_ENCODERS["videotoolbox"].codec, bitrate=1_000_000)
    assert mac == {"bf": "0", "b": "1000000"}
    assert settings(HARDWARE_ENCODERS["vaapi"].codec, bitrate=1_000_000)["rc_mode"] == "VBR"


def test_what_an_encoder_has_not_is_one_line(tmp_path):
    """With what it has."""
    with pytest.raises(SinkError, match=r"cannot write 'out\.mp4' with `crf` 60: libx264 takes 0 to 51; use `bitrate`"):
        settings(crf=60)
    with pytest.raises(SinkError, match="h264_videotoolbox takes no such number"):
        settings(HARDWARE_ENCODERS["videotoolbox"].codec, crf=20)
    with pytest.raises(UsageError, match="`crf` and `bitrate` are two ways"):
        VideoFileSink(tmp_path / "out.mp4", INFO, unpainted(), crf=20, bitrate=1000)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_the_bits_that_are_written_are_about_those_of_the_source(tmp_path: Path, suffix: str):
    """Noise, which is what costs most: without a cap it takes several times as much."""
    size = (96, 128)
    info = replace(INFO, height=size[0], width=size[1], bit_rate=100_000)
    noise = np.random.default_rng(0)
    pictures = [np.repeat(np.repeat(noise.integers(60, 180, (24, 32, 3), np.uint8), 4, 0), 4, 1) for _ in range(120)]

    def bits(name: str, source: StreamInfo, **how: int) -> float:
        path = tmp_path / f"{name}{suffix}"
        sink = VideoFileSink(path, source, unpainted(), encoder="auto", **how)
        for index, pixels in enumerate(pictures):
            frame = Frame(index, index / 30, pixels, pts=round(1000 * index / 30))
            sink.write(Segmentation(frame, np.zeros((4, 4), np.uint8), THREE_CLASSES))
        sink.close("complete")
        with av.open(str(path)) as container:
            return 8 * sum(packet.size for packet in container.demux(video=0)) / (len(pictures) / 30)

    assert bits("free", replace(info, bit_rate=None)) > 3.3 * 100_000
    assert bits("capped", info) < 3 * 100_000
    assert bits("asked", info, bitrate=200_000) == pytest.approx(200_000, rel=0.4)

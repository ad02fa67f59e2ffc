"""Pictures and sound of one recording come from one reader, on one clock, whatever the clock in the file does."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from streamseg import Painter, Pipeline, Segmentation, SegmentClass, Source, open_source
from streamseg.sinks import VideoFileSink
from streamseg.sources.recording_clock import Beside, RecordingClock
from tests.streamseg.sources.clips import Clip, grey_frame, luma_of

SIZE = (48, 64)
CLASSES = (SegmentClass(0, "nothing", (0, 0, 0)),)
PACKET = 188  # bytes of a transport stream's packets
SOUND_PID = 0x101
RATE = 48_000
LITTLE = {"probesize": "30000"}  # bytes: less than one of the parts


def broadcast(
    path: Path, hertz: float, *, seconds: int = 2, offset_s: float = 0.0, frames: int = 25, pid: int = 0x100
) -> Path:
    """A transport stream of a tone and grey pictures, `frames` a second. pid: of the pictures; sound has the next."""
    options = {"output_ts_offset": str(offset_s), "mpegts_start_pid": str(pid)}
    with av.open(str(path), "w", container_options=options) as container:
        video = container.add_stream("libx264", rate=frames, options={"preset": "ultrafast", "bf": "0", "qp": "20"})
        video.height, video.width, video.pix_fmt, video.gop_size = *SIZE, "yuv420p", 10
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for index in range(frames * seconds):
            picture = grey_frame(luma_of(index % 100), SIZE)
            picture.pts, picture.time_base = index, Fraction(1, frames)
            container.mux(video.encode(picture))
            start, end = (RATE * each // frames for each in (index, index + 1))
            wave = np.sin(np.arange(start, end) * (2 * np.pi * hertz / RATE)).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            sound.sample_rate, sound.time_base, sound.pts = RATE, Fraction(1, RATE), start
            container.mux(audio.encode(sound))
        for stream in (video, audio):
            container.mux(stream.encode(None))
    return path


def without_sound_packets(data: bytes) -> bytes:
    """A transport stream whose sound is announced and never comes."""
    packets = [data[at : at + PACKET] for at in range(0, len(data), PACKET)]
    return b"".join(each for each in packets if int.from_bytes(each[1:3], "big") & 0x1FFF != SOUND_PID)


def overlay(source: Source, path: Path) -> VideoFileSink:
    """Write all frames of a source as they are."""
    sink = VideoFileSink(path, source.info, Painter(CLASSES, alpha=0, legend=False))
    labels = np.zeros((1, 1), np.uint8)
    Pipeline(source, lambda frame: Segmentation(frame, labels, CLASSES), [sink]).run()
    return sink


def times(path: Path) -> list[float]:
    """When each picture of a file is shown, seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.size)


def tones(path: Path) -> dict[float, int]:
    """The strongest frequency of each quarter of a second of the sound, to 10 Hz, by the packets' own times."""
    quarters: dict[float, list[np.ndarray]] = {}
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            quarters.setdefault(int(frame.time * 4) / 4, []).append(frame.to_ndarray()[0].astype(float))
    found = {}
    for begin_s, pieces in quarters.items():
        wave = np.concatenate(pieces)
        if len(wave) > RATE / 8:  # less is a rest at the end
            spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
            found[begin_s] = round(int(np.argmax(spectrum)) * RATE / len(wave) / 10) * 10
    return found


@pytest.fixture(scope="module", params=[0.0, 500.0, 0.5], ids=["starts again", "jumps ahead", "starts again later"])
def joined(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two transport streams of two seconds, 440 and 880 Hz, one behind the other."""
    folder = tmp_path_factory.mktemp("joined")
    parts = [broadcast(folder / "a.ts", 440), broadcast(folder / "b.ts", 880, offset_s=request.param)]
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_joined_recordings_keep_both_sounds_in_step(joined: Path, tmp_path: Path, suffix: str) -> None:
    """As long as its parts; the sound of the second with the pictures of the second; no damage."""
    path = tmp_path / f"out{suffix}"
    with open_source(str(joined)) as source:
        overlay(source, path)
        assert source.damage is None
        assert "clock starts anew at 2." in source.notes[0]
    shown = times(path)
    assert len(shown) == 100
    assert np.diff(shown) == pytest.approx(np.full(99, 0.04), abs=0.002)
    assert tones(path) == {k / 4: 440 if k < 8 else 880 for k in range(16)}


@pytest.mark.parametrize("late", [False, True], ids=["announced at once", "announced late"])
def test_joined_recordings_whose_tracks_have_other_numbers_are_as_long_as_their_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """As those of another camera: three of them, each with its own sound."""
    numbers = (0x100, 0x200, 0x300)
    parts = [broadcast(tmp_path / f"{pid}.ts", 440 * (1 + k), pid=pid) for k, pid in enumerate(numbers)]
    clip, path = tmp_path / "clip.ts", tmp_path / "out.mp4"
    clip.write_bytes(b"".join(part.read_bytes() for part in parts))
    if late:  # as in a long file, of which FFmpeg looks at the beginning only
        opened = av.open

        def looked_at_little(*words: Any, **how: Any) -> Any:
            options = how.get("options") or {}
            return opened(*words, **{**how, "options": options if "skip_initial_bytes" in options else LITTLE})

        monkeypatch.setattr(av, "open", looked_at_little)
    with open_source(str(clip)) as source:
        monkeypatch.undo()
        assert source.info.tracks is not None
        overlay(source, path)
        assert source.damage is None
    shown = times(path)
    assert len(shown) == 150
    assert np.diff(shown) == pytest.approx(np.full(149, 0.04), abs=0.002)
    assert tones(path) == {k / 4: 440 * (1 + k // 8) for k in range(24)}


def test_what_is_joined_on_in_another_codec_is_said(tmp_path: Path) -> None:
    """It cannot be gone on with, and is not passed over in silence."""
    first, second = broadcast(tmp_path / "a.ts", 440), tmp_path / "b.ts"
    Clip(codec="mpeg2video", container_options={"mpegts_start_pid": "512"}).write(second)
    clip = tmp_path / "clip.ts"
    clip.write_bytes(first.read_bytes() + second.read_bytes())
    with open_source(str(clip)) as source:
        assert len(list(source)) == 50
        (note,) = source.notes
        assert re.fullmatch(r"left out of what is joined on at 1\.9\d s: pictures in mpeg2video", note)


def test_a_part_of_joined_recordings_is_found_by_their_common_time(joined: Path, tmp_path: Path) -> None:
    """The time occurs twice in the file, or nowhere."""
    path = tmp_path / "out.mp4"
    with open_source(str(joined), start_s=3.0) as source:
        overlay(source, path)
    assert len(times(path)) == 25
    assert set(tones(path).values()) == {880}


def test_sound_that_is_announced_and_never_comes_leaves_the_pictures_alone(tmp_path: Path) -> None:
    """A microphone that is switched off: all frames, no sound, a note."""
    clip = tmp_path / "clip.ts"
    clip.write_bytes(without_sound_packets(broadcast(tmp_path / "whole.ts", 440).read_bytes()))
    path = tmp_path / "out.mp4"
    with open_source(str(clip)) as source:
        sink = overlay(source, path)
        assert source.damage is None
    assert len(times(path)) == 50
    assert sink.notes == ["sound left out: a track is announced, but there is nothing in it to begin with"]
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_a_microphone_that_is_switched_on_later_is_heard_from_then_on(tmp_path: Path) -> None:
    """Although nothing was known of it when the file was opened, and for longer than FFmpeg looks for it."""
    whole = broadcast(tmp_path / "whole.ts", 440, seconds=9).read_bytes()
    late = len(whole) * 7 // 9 // PACKET * PACKET
    clip = tmp_path / "clip.ts"
    clip.write_bytes(without_sound_packets(whole[:late]) + whole[late:])
    path = tmp_path / "out.mp4"
    with open_source(str(clip)) as source:
        overlay(source, path)
    assert len(times(path)) == 225
    heard = tones(path)
    assert 6.5 <= min(heard) <= 7.5
    assert max(heard) == 8.75


def test_bytes_that_are_no_transport_stream_are_passed_over_with_all_tracks(tmp_path: Path) -> None:
    """Nothing is lost but the packet that was cut in two: no break, and sound to the end."""
    whole = broadcast(tmp_path / "whole.ts", 440).read_bytes()
    middle = len(whole) // 2 // PACKET * PACKET + 100
    clip = tmp_path / "clip.ts"
    clip.write_bytes(whole[:middle] + b"\xff" * 150_400 + whole[middle:])
    path = tmp_path / "out.mp4"
    with open_source(str(clip)) as source:
        overlay(source, path)
        assert source.damage is None or source.lost
    shown = times(path)
    assert len(shown) >= 49
    assert shown[-1] - shown[0] == pytest.approx(49 / 25, abs=0.01)
    assert tones(path) == {k / 4: 440 for k in range(8)}


def test_a_lost_cluster_is_told_with_its_time_and_sound_goes_on(tmp_path: Path) -> None:
    """Zeros over a fifth of the file: what is left comes at its own time, and the hole is said."""
    data = bytearray(broadcast(tmp_path / "whole.ts", 440, seconds=8).read_bytes())
    begin = len(data) // 3 // PACKET * PACKET
    length = max(70_000, len(data) // 5) // PACKET * PACKET
    data[begin : begin + length] = bytes(length)
    clip = tmp_path / "clip.ts"
    clip.write_bytes(data)
    path = tmp_path / "out.mp4"
    with open_source(str(clip)) as source:
        overlay(source, path)
        assert source.damage is not None
        ((from_s, to_s),) = source.lost
    shown = times(path)
    assert shown[-1] - shown[0] == pytest.approx(199 / 25, abs=0.01)
    gap = int(np.argmax(np.diff(shown)))
    assert from_s <= shown[gap] + 0.05
    assert to_s >= shown[gap + 1]
    assert max(tones(path)) == 7.75


def test_a_camera_s_record_behind_a_transport_stream_is_passed_over(tmp_path: Path) -> None:
    """No note, no damage, sound to its end."""
    clip = broadcast(tmp_path / "clip.ts", 440)
    record = b"SKIPLIGOGPSINFO" + bytes(5000) + b"####"
    clip.write_bytes(clip.read_bytes() + len(record).to_bytes(4, "big") + record + len(record).to_bytes(4, "big"))
    path = tmp_path / "out.mp4"
    with open_source(str(clip)) as source:
        sink = overlay(source, path)
        assert source.damage is None
        assert [*source.notes, *sink.notes] == []
    assert len(times(path)) == 50
    assert tones(path) == {k / 4: 440 for k in range(8)}


class Pictures:
    """Packets of pictures as the clock sees them, one each 40 ms in 1/90000 s."""

    def __init__(self, clock: RecordingClock) -> None:
        self._clock = clock

    def time_of(self, dts: int) -> int:
        """The time that a picture gets."""
        packet = av.Packet(b"picture")
        packet.dts = packet.pts = dts
        self._clock.place(packet)
        assert packet.dts == packet.pts
        return packet.pts


@pytest.fixture
def clock() -> RecordingClock:
    """Of a transport stream of 25 frames a second that begins at 0."""
    return RecordingClock(Fraction(0), Fraction(1, 90_000), Fraction(1, 25), broadcast=True)


def test_a_clock_of_33_bits_goes_on_when_it_wraps(clock: RecordingClock) -> None:
    """To the tick, also where pictures are missing just then; sound moves by the same, and no note is needed."""
    pictures, sound, turn = Pictures(clock), Beside(), 1 << 33
    assert pictures.time_of(turn - 3600) == turn - 3600
    assert clock.place_beside(sound, turn - 1000, Fraction(1, 90_000)) == 0
    assert pictures.time_of(90_000) == turn + 90_000
    assert clock.place_beside(sound, turn - 10, Fraction(1, 90_000)) == 0
    assert clock.place_beside(sound, 2000, Fraction(1, 90_000)) == turn
    assert clock.notes() == []


def test_sound_that_makes_the_step_first_waits_for_the_pictures(clock: RecordingClock) -> None:
    """Then it is moved with them."""
    pictures, sound, tick = Pictures(clock), Beside(), Fraction(1, 90_000)
    for index in range(100):
        pictures.time_of(3600 * index)
        assert clock.place_beside(sound, 3600 * index, tick) == 0
    assert clock.place_beside(sound, 900, tick) is None
    assert pictures.time_of(0) == 360_000
    assert clock.place_beside(sound, 900, tick) == 360_000


def test_a_garbled_time_moves_nothing_that_follows(clock: RecordingClock) -> None:
    """A picture said to be hours later costs one tick at most: those after it go on a frame apart."""
    pictures = Pictures(clock)
    said = [0, 3600, 500_000_000, 10_800, 14_400]
    assert [pictures.time_of(each) for each in said] == [0, 3600, 7200, 10_800, 14_400]


def test_a_pause_of_hours_in_a_file_is_kept_and_said() -> None:
    """A file with an index means what it says; a person should know."""
    clock = RecordingClock(Fraction(0), Fraction(1, 1000), Fraction(1, 25), broadcast=False)
    pictures = Pictures(clock)
    assert [pictures.time_of(each) for each in (0, 40, 7_200_080)] == [0, 40, 7_200_080]
    assert clock.notes() == ["the times of the pictures jump ahead by more than an hour at 0.04 s"]

"""The sound of the source comes along, bit for bit, in step with the pictures."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.streamseg.sinks.recordings import (
    clip_with_sound,
    record_with_sound,
    stored,
    tone_begins_s,
)

COPIED = [
    ("clip.mp4", "aac", ".mp4"),
    ("clip.mp4", "aac", ".mov"),
    ("clip.mkv", "aac", ".mp4"),
    ("clip.mkv", "libmp3lame", ".mp4"),
    ("clip.mkv", "libopus", ".webm"),
    ("clip.mkv", "libopus", ".mkv"),
    ("clip.mkv", "pcm_s16le", ".mkv"),
    ("clip.mkv", "ac3", ".mkv"),
    ("clip.avi", "libmp3lame", ".mp4"),
]


@pytest.mark.parametrize(("clip", "codec", "suffix"), COPIED)
def test_sound_is_copied_bit_for_bit(tmp_path: Path, clip: str, codec: str, suffix: str) -> None:
    """Every packet is the source's own, at its own time, to the millisecond that coarse containers count in."""
    source = clip_with_sound(tmp_path / clip, [codec])
    path = tmp_path / f"out{suffix}"
    sink = record_with_sound(source, path, range(75))
    before, after = stored(source, "audio"), stored(path, "audio")
    assert [packet.content for packet in after] == [packet.content for packet in before]
    assert max(abs(a.begin_s - b.begin_s) for a, b in zip(after, before, strict=True)) <= Fraction(15, 10_000)
    assert sink.notes == []


def test_uncompressed_sound_is_copied_to_mov(tmp_path: Path) -> None:
    """QuickTime plays it there; the samples are the source's."""
    source = clip_with_sound(tmp_path / "clip.mkv", ["pcm_s16le"])
    path = tmp_path / "out.mov"
    record_with_sound(source, path, range(75))
    before, after = (b"".join(packet.content for packet in stored(each, "audio")) for each in (source, path))
    assert after == before


def test_aac_in_matroska_begins_with_the_pictures(tmp_path: Path) -> None:
    """Matroska cannot hide AAC's lead-in; it is left out rather than delaying the pictures to make room for it."""
    source = clip_with_sound(tmp_path / "clip.mp4", ["aac"])
    path = tmp_path / "out.mkv"
    record_with_sound(source, path, range(75))
    before, after = stored(source, "audio"), stored(path, "audio")
    assert [packet.content for packet in after] == [packet.content for packet in before[1:]]
    assert stored(path)[0].begin_s == after[0].begin_s == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize(
    ("clip", "codec"), [("clip.mp4", "aac"), ("clip.mkv", "pcm_s16le"), ("clip.mkv", "libopus"), ("clip.ts", "aac")]
)
def test_sound_stays_in_step(tmp_path: Path, clip: str, codec: str, suffix: str) -> None:
    """What is heard at a picture is what was heard at it before, copied or compressed anew."""
    source = clip_with_sound(tmp_path / clip, [codec])
    with av.open(str(source)) as container:
        origin_s = max(0, container.start_time) / av.time_base
        first = next(container.decode(video=0)).time - origin_s
    path = tmp_path / f"out{suffix}"
    ticks = [round(first * 90_000) + 3600 * k for k in range(75)]
    record_with_sound(source, path, ticks, time_base=Fraction(1, 90_000))
    assert tone_begins_s(path) == pytest.approx(tone_begins_s(source) - origin_s, abs=0.003)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("start_s", [0.5, 0.81, 1.5])
def test_sound_of_a_part_begins_with_the_part(tmp_path: Path, suffix: str, start_s: float) -> None:
    """Sound is cut where the output begins, and pictures are not moved by it."""
    source = clip_with_sound(tmp_path / "clip.mp4", seconds=4)
    path = tmp_path / f"out{suffix}"
    first = -(-start_s * 25 // 1)
    record_with_sound(source, path, [int(-first) * -1 + k for k in range(50)], start_s=start_s)
    rounded_s = round(start_s * 25) / 25
    assert float(stored(path)[0].begin_s) == pytest.approx((int(first) - round(start_s * 25)) / 25, abs=1e-3)
    if start_s < 1:
        assert tone_begins_s(path) == pytest.approx(tone_begins_s(source) - rounded_s, abs=0.003)
    else:
        assert tone_begins_s(path) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize(("outcome", "to_the_end"), [("cut", True), ("complete", False)])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_sound_of_a_part_ends_with_the_pictures(tmp_path: Path, outcome: str, to_the_end: bool, suffix: str) -> None:
    """A run that was stopped, or asked for a part, has no sound past its last picture."""
    source = clip_with_sound(tmp_path / "clip.mp4")
    path = tmp_path / f"out{suffix}"
    record_with_sound(source, path, range(25), outcome, tracks_to_the_end=to_the_end)
    last = stored(path, "audio")[-1]
    assert 0.95 < last.begin_s < 1.05


def test_sound_that_outlasts_the_pictures_is_kept(tmp_path: Path) -> None:
    """A source read to its end gives all its sound."""
    source = clip_with_sound(tmp_path / "clip.mp4")
    path = tmp_path / "out.mp4"
    record_with_sound(source, path, range(25))
    assert len(stored(path, "audio")) == len(stored(source, "audio"))


def test_all_tracks_come_along_with_their_languages(tmp_path: Path) -> None:
    """Two audio tracks stay two, in order, under their names."""
    source = clip_with_sound(tmp_path / "clip.mkv", ["aac", "libmp3lame"], languages=["deu", "fra"])
    path = tmp_path / "out.mp4"
    record_with_sound(source, path, range(75))
    with av.open(str(path)) as container:
        assert [stream.metadata["language"] for stream in container.streams.audio] == ["deu", "fra"]
    for index in (0, 1):
        before, after = stored(source, "audio", index), stored(path, "audio", index)
        assert [packet.content for packet in after] == [packet.content for packet in before]


@pytest.mark.parametrize(
    ("codec", "suffix", "written"),
    [
        ("pcm_mulaw", ".mkv", "aac"),
        ("adpcm_ima_wav", ".mkv", "aac"),
        ("pcm_s16le", ".mp4", "aac"),
        ("ac3", ".mp4", "aac"),
        ("aac", ".webm", "opus"),
        ("libmp3lame", ".webm", "opus"),
    ],
)
def test_sound_that_would_not_play_is_compressed_anew_and_said(
    tmp_path: Path, codec: str, suffix: str, written: str
) -> None:
    """A browser could not play the source's own sound in that kind of file."""
    source = clip_with_sound(tmp_path / "clip.avi", [codec])
    path = tmp_path / f"out{suffix}"
    sink = record_with_sound(source, path, range(75))
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == written
    assert len(sink.notes) == 1
    assert "sound compressed anew" in sink.notes[0]
    last = stored(path, "audio")[-1]
    assert float(last.begin_s + last.length_s) == pytest.approx(3.0, abs=0.06)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_unusual_sample_rates_are_compressed_anew(tmp_path: Path, suffix: str) -> None:
    """Old cameras record at 11025 Hz; the length stays right."""
    source = clip_with_sound(tmp_path / "clip.mkv", ["pcm_s16le"], rate=11_025)
    path = tmp_path / f"out{suffix}"
    record_with_sound(source, path, range(75))
    assert tone_begins_s(path) == pytest.approx(1.0, abs=0.005)


def test_copied_sound_has_no_gaps_from_rounding(tmp_path: Path) -> None:
    """Matroska counts in milliseconds; in MP4 each packet follows the one before to the sample again."""
    source = clip_with_sound(tmp_path / "clip.mkv", ["aac"], rate=44_100)
    path = tmp_path / "out.mp4"
    record_with_sound(source, path, range(75))
    begins = [packet.begin_s for packet in stored(path, "audio")]
    assert {b - a for a, b in pairwise(begins)} == {Fraction(1024, 44_100)}


def test_sound_that_breaks_off_is_kept_up_to_there(tmp_path: Path) -> None:
    """A truncated source still gives the sound it has."""
    whole = clip_with_sound(tmp_path / "clip.mkv", ["pcm_s16le"])
    part = tmp_path / "part.mkv"
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    path = tmp_path / "out.mkv"
    record_with_sound(part, path, range(75))
    found = [packet.content for packet in stored(path, "audio")]
    assert len(found) > 20
    assert found == [packet.content for packet in stored(whole, "audio")][: len(found)]


def test_sound_is_stored_beside_its_pictures(tmp_path: Path) -> None:
    """Sound is read as the pictures go, not all at once: in the file it is never a second from them."""
    source = clip_with_sound(tmp_path / "clip.mp4", seconds=12)
    path = tmp_path / "out.mp4"
    record_with_sound(source, path, range(300))
    with av.open(str(path)) as container:
        latest = {"video": 0.0, "audio": 0.0}
        for packet in sorted((p for p in container.demux() if p.size), key=lambda packet: packet.pos):
            latest[packet.stream.type] = float(packet.pts * packet.time_base)
            assert abs(latest["video"] - latest["audio"]) < 1.2

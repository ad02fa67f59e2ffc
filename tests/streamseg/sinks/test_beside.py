"""Subtitles and data beside the pictures, in every kind of file that can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import pytest
from av.subtitles.subtitle import SubtitleSet

from streamseg import open_source
from streamseg.segmentation import Segmentation
from streamseg.sinks.beside import HEADER
from streamseg.sinks.video_file import VideoFileSink
from tests.streamseg.sinks.recordings import CLASSES, unpainted

Texts: TypeAlias = "tuple[tuple[str, int, int], ...]"

SHOWN: Texts = (("first", 0, 400), ("second\nline", 500, 300))
"""Texts, from when on and for how long they are shown, milliseconds."""


def write_clip(path: Path, *codecs: str, texts: Texts = SHOWN, tags: Mapping[str, str] | None = None) -> Path:
    """A second of pictures with a track of texts for each codec, the first in French."""
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        video = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = [container.add_stream(codec) for codec in codecs]
        for track in tracks:
            track.codec_context.subtitle_header = HEADER
            track.time_base = Fraction(1, 1000)
        tracks[0].metadata.update({"language": "fra", "title": "places"})
        for text, begin, length in texts:
            line = f"0,0,Default,,0,0,0,,{text}".replace("\n", "\\N").encode()
            for track in tracks:
                packet = track.codec_context.encode_subtitle(SubtitleSet.create(line, 0, length, begin))
                packet.stream, packet.time_base = track, Fraction(1, 1000)
                packet.pts, packet.dts, packet.duration = begin, begin, length
                container.mux(packet)
        for index in range(25):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), "bgr24")))
        container.mux(video.encode(None))
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each kind."""
    folder = tmp_path_factory.mktemp("clips")
    return {
        ".mp4": write_clip(folder / "clip.mp4", "mov_text", "mov_text"),
        ".mkv": write_clip(folder / "clip.mkv", "subrip", "ass"),
        ".webm": write_clip(folder / "clip.webm", "webvtt"),
    }


def texts_of(path: Path, index: int = 0) -> list[tuple[str, int, int]]:
    """As `SHOWN` has them."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[index]
        for packet in container.demux(stream):
            for each in stream.codec_context.decode(packet) if packet.size else []:
                text = each.dialogue.decode().replace("\\N", "\n")
                begin, length = packet.pts * packet.time_base * 1000, packet.duration * packet.time_base * 1000
                found.append((text, round(begin), round(length)))
    return found


@pytest.mark.parametrize("kind", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "mov_text"), (".mov", "mov_text"), (".mkv", None), (".webm", "webvtt")]
)
def test_texts_are_in_every_kind_of_file_in_the_form_that_is_read_there(clips, copied, kind, suffix, codec) -> None:
    """At the same times, with their language and title; Matroska takes most as they are."""
    path, notes = copied(clips[kind], suffix)
    assert notes == []
    with av.open(str(path)) as container, av.open(str(clips[kind])) as source:
        streams = container.streams.subtitles
        as_it_was = [each.codec_context.codec.canonical_name for each in source.streams.subtitles]
        wanted = [codec or ("subrip" if name == "mov_text" else name) for name in as_it_was]
        assert [each.codec_context.codec.canonical_name for each in streams] == wanted
        assert streams[0].metadata.get("title", streams[0].metadata.get("name")) == "places"
        assert suffix == ".mov" or streams[0].language in ("fra", "fre")
        count = len(streams)
    for index in range(count):
        assert texts_of(path, index) == list(SHOWN)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_texts_are_cut_to_the_part_that_is_written(clips, copied, suffix) -> None:
    """From 0.2 to 0.6 s: one that is shown then is shown from the start on, and none outlasts the pictures."""
    path, _ = copied(clips[".mp4"], suffix, start_s=0.2, duration_s=0.4)
    assert texts_of(path) == [("first", 0, 200), ("second\nline", 300, 100)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_texts_of_one_time_cost_neither_each_other_nor_the_pictures(tmp_path, copied, suffix) -> None:
    """They come one after the other, a tick apart at least; what has no letters in it is nothing."""
    texts = (("one", 0, 400), ("two", 0, 400), ("", 200, 100), ("three", 500, 300))
    clip = write_clip(tmp_path / "clip.mkv", "subrip", texts=texts)
    path, notes = copied(clip, suffix)
    assert notes == []
    found = texts_of(path)
    assert [text for text, _, _ in found if text] == ["one", "two", "three"]
    assert [begin for text, begin, _ in found if text] == [0, 1, 500]
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 25


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_texts_that_overlap_end_where_the_next_begins(tmp_path, copied, suffix) -> None:
    """MP4 shows one at a time; FFmpeg aborts the process where a text begins before the end of the one before."""
    texts = (("one", 0, 900), ("two", 440, 400))
    path, notes = copied(write_clip(tmp_path / "clip.mkv", "subrip", texts=texts), suffix)
    assert notes == []
    assert [each for each in texts_of(path) if each[0]] == [("one", 0, 440), ("two", 440, 400)]


@pytest.fixture(scope="module")
def data_clip(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of two tracks of texts is one of data, as GoPro's cameras have it: by its handler and its codec."""
    content = clips[".mp4"].read_bytes()
    for was, becomes in ((b"sbtl", b"meta"), (b"tx3g", b"gpmd")):
        content = content.replace(was, becomes, 1)
    path = tmp_path_factory.mktemp("data") / "clip.mp4"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("suffix", "kept"), [(".mp4", True), (".mov", True), (".mkv", False), (".webm", False)])
def test_data_is_copied_or_named_in_the_note(data_clip, copied, suffix, kept) -> None:
    """Byte for byte, from the start on; the texts beside it are kept in any case. The empty one fills a gap of MP4."""
    path, notes = copied(data_clip, suffix, start_s=0.2)
    note = "left out, as the output cannot carry it: data track 2 (bin_data)"
    assert notes == ([] if kept else [note])
    assert texts_of(path)[-1] == ("second\nline", 300, 300)
    with av.open(str(path)) as container:
        streams = container.streams.data
        assert len(streams) == kept
        packets = [each for each in container.demux(*streams) if each.size] if kept else []
        found = [(each.pts * each.time_base, bytes(each)) for each in packets]
        all_of_it = [(Fraction(1, 5), b"\0\0"), (Fraction(3, 10), b"\0\x0bsecond\nline")]
        assert found == (all_of_it if kept else [])


def test_a_sink_says_which_tracks_it_keeps_and_which_not(data_clip, tmp_path: Path) -> None:
    """For reports: each in words."""
    with open_source(data_clip) as source:
        sink = VideoFileSink(tmp_path / "out.mkv", source.info, unpainted())
        for frame in source:
            sink.write(Segmentation(frame, np.zeros((4, 4), np.uint8), CLASSES))
        sink.close("complete")
    assert sink.tracks_kept == ["subtitle track 3 (mov_text)"]
    assert sink.tracks_left_out == ["data track 2 (bin_data)"]


def test_a_track_that_ffmpeg_has_no_name_for_is_left_out(clips, copied, tmp_path: Path) -> None:
    """As teletext or a camera's own kind of text, and the texts beside it are kept."""
    clip = tmp_path / "clip.mkv"
    clip.write_bytes(clips[".mkv"].read_bytes().replace(b"S_TEXT/UTF8", b"S_TEXT/XXXX"))
    path, notes = copied(clip, ".mkv")
    assert notes == ["left out, as the output cannot carry it: subtitle track 2"]
    assert texts_of(path) == list(SHOWN)

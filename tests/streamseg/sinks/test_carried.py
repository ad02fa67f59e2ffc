"""What a recording carries beside pictures and sound is in the new file, or a note says that it is not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from streamseg.carried import Carried, timecode_after
from streamseg.file_tag import written_by_streamseg
from streamseg.sinks.video_file import VideoFileSink
from tests.streamseg.sinks.recordings import info_of, record, unpainted

TAGS = {
    "title": "Drive to Süd",
    "comment": "left at dawn",
    "creation_time": "2024-05-06T07:08:09.000000Z",
    "location": "+48.1000+011.5000/",
    "make": "Viofo",
    "model": "A129",
    "com.apple.quicktime.location.iso6709": "+48.1000+011.5000+515.000/",
    "com.android.version": "13",
    "artist": "Ada",
}
COVER = cv2.imencode(".jpg", np.full((24, 32, 3), 90, np.uint8))[1].tobytes()
FRAMES, FPS = 25, 25


def write_clip(path: Path) -> Path:
    """A second of pictures with tags, two chapters and a timecode; in Matroska with a cover and another file."""
    with av.open(str(path), "w", container_options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(TAGS)
        container.set_chapters([chapter(1, 0, 500, "out"), chapter(2, 500, 1000, "back")])
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.metadata.update({"language": "deu", "title": "Front", "timecode": "01:00:00:00"})
        if path.suffix == ".mkv":
            container.add_attachment("cover.jpg", "image/jpeg", COVER)
            container.add_attachment("notes.txt", "text/plain", b"hello")
        for index in range(FRAMES):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), "bgr24")))
        container.mux(video.encode(None))
    return path


def chapter(number: int, start: int, end: int, title: str) -> Any:
    """As PyAV takes it, in milliseconds."""
    return {"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": title}}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of the two kinds that carry most."""
    folder = tmp_path_factory.mktemp("clips")
    return {suffix: write_clip(folder / f"clip{suffix}") for suffix in (".mp4", ".mkv")}


def tags_of(path: Path) -> dict[str, str]:
    """Of a file, in small letters, as Matroska has them in capitals."""
    with av.open(str(path)) as container:
        return {key.lower(): text for key, text in container.metadata.items()}


def chapters_of(path: Path) -> list[tuple[str, float, float]]:
    """Title, begin and end in seconds."""
    with av.open(str(path)) as container:
        return [
            (
                each["metadata"]["title"],
                float(each["start"] * each["time_base"]),
                float(each["end"] * each["time_base"]),
            )
            for each in container.chapters()
        ]


def cover_of(path: Path) -> bytes:
    """The picture on the cover; empty where there is none."""
    with av.open(str(path)) as container:
        covers = [each for each in container.streams.video if each.disposition & Disposition.attached_pic]
        return bytes(next(container.demux(covers[0]))) if covers else b""


def timecode_of(path: Path) -> str | None:
    """That of the track of pictures, which the reader takes from its track of timecodes if it has one."""
    with av.open(str(path)) as container:
        said = container.streams.video[0].metadata
        return said.get("timecode") or said.get("TIMECODE")


@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_all_tags_chapters_and_the_timecode_are_in_every_kind_of_file(clips, copied, kind: str, suffix: str) -> None:
    """Whatever kind they come from, with the language of the pictures and streamseg's own tag beside them."""
    path, notes = copied(clips[kind], suffix)
    assert TAGS.items() <= tags_of(path).items()
    assert chapters_of(path) == [("out", 0, 0.5), ("back", 0.5, 1)]
    assert timecode_of(path) == "01:00:00:00"
    assert written_by_streamseg(path)
    with av.open(str(path)) as container:
        pictures = container.streams.video[0]
        if suffix != ".mov":  # which writes languages of QuickTime's own list only
            assert pictures.language in ("deu", "ger")
        assert pictures.metadata.get("title", pictures.metadata.get("name")) == "Front"
        assert sum("timecode" in each.metadata for each in container.streams.data) == (suffix in (".mp4", ".mov"))
        assert len(container.streams.subtitles) == 0  # the text of chapters is known as such
        assert len(list(container.decode(pictures))) == FRAMES
    if kind == ".mp4":
        assert notes == []


@pytest.mark.parametrize(
    ("suffix", "left_out"),
    [
        (".mp4", "attachment notes.txt"),
        (".mov", "attachment notes.txt"),
        (".mkv", ""),
        (".webm", "cover picture, attachment notes.txt"),
    ],
)
def test_the_cover_is_kept_where_it_can_be_and_what_cannot_is_one_note(clips, copied, suffix, left_out) -> None:
    """Also with a start, since the cover stands before all times."""
    path, notes = copied(clips[".mkv"], suffix, start_s=0.5)
    assert cover_of(path) == (b"" if suffix == ".webm" else COVER)
    assert notes == ([f"left out, as the output cannot carry it: {left_out}"] if left_out else [])
    if suffix == ".mkv":
        with av.open(str(path)) as container:
            assert [(each.name, each.data) for each in container.streams.attachments] == [("notes.txt", b"hello")]


def test_opencv_as_reader_loses_nothing(clips, copied) -> None:
    """It hands over pictures alone; the rest is read beside it."""
    path, notes = copied(clips[".mp4"], ".mp4", reader="opencv")
    assert TAGS.items() <= tags_of(path).items()
    assert (timecode_of(path), len(chapters_of(path)), notes) == ("01:00:00:00", 2, [])


def test_a_cover_in_mp4_is_carried_on(clips, copied) -> None:
    """Read where it was written."""
    first, _ = copied(clips[".mkv"], ".mp4")
    assert cover_of(copied(first, ".mov")[0]) == COVER


def test_a_part_of_a_clip_has_its_part_of_the_chapters_and_the_timecode_of_its_first_frame(clips, copied) -> None:
    """From 0.3 to 0.8 s; the time of creation stays that of the recording, as ffmpeg leaves it."""
    path, _ = copied(clips[".mp4"], ".mp4", start_s=0.3, duration_s=0.5)
    assert chapters_of(path) == [("out", 0, 0.2), ("back", 0.2, 0.5)]
    assert timecode_of(path) == "01:00:00:08"
    assert tags_of(path)["creation_time"] == TAGS["creation_time"]
    assert chapters_of(copied(clips[".mp4"], ".mkv", start_s=0.5)[0]) == [("back", 0, 0.5)]


def test_titles_show_in_players_that_know_only_the_usual_tags(clips, copied) -> None:
    """iTunes' list and Android's place are in the user data, and no room that was left for them."""
    path, _ = copied(clips[".mp4"], ".mp4")
    content = path.read_bytes()
    for tag, text in ((b"\xa9nam", "title"), (b"\xa9cmt", "comment"), (b"\xa9ART", "artist"), (b"\xa9xyz", "location")):
        assert TAGS[text].encode() in content[content.index(tag) :][:80]
    assert "streamseg_room" not in tags_of(path)


def test_a_title_in_another_encoding_stops_nothing(clips, copied, tmp_path: Path) -> None:
    """Its odd letters are replaced."""
    content = clips[".mp4"].read_bytes()
    odd = tmp_path / "odd.mp4"
    odd.write_bytes(content.replace("Süd".encode(), b"S\xfcd "))
    assert tags_of(copied(odd, ".mp4")[0])["title"] == "Drive to S\ufffdd "


def test_a_live_recording_has_only_streamsegs_own_tag(tmp_path: Path) -> None:
    """There is nothing to carry."""
    sink = VideoFileSink(tmp_path / "a.mp4", info_of(live=True), unpainted())
    record(sink, range(2))
    assert tags_of(tmp_path / "a.mp4").keys() & TAGS.keys() == set()
    assert written_by_streamseg(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("first", "frames", "fps", "later"),
    [
        ("00:00:00:00", 25 * 3600 * 24, 25, "00:00:00:00"),
        ("10:00:00:24", 1, 25, "10:00:01:00"),
        ("00:00:59;29", 1, Fraction(30000, 1001), "00:01:00;02"),
        ("00:09:59;29", 1, Fraction(30000, 1001), "00:10:00;00"),
        ("01:00:00;00", 107892, Fraction(30000, 1001), "02:00:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("00:00:00:9", 1, 10, "00:00:01:0"),
        ("00:00:59:29", 1, Fraction(30000, 1001), "00:01:00:00"),
    ],
)
def test_timecodes_go_on_as_the_standard_counts_them(first: str, frames: int, fps: Fraction, later: str) -> None:
    """SMPTE ST 12-1: with drop frame, numbers are left out at each minute but the tenth, and an hour lasts an hour."""
    assert timecode_after(first, float(frames / Fraction(fps)), Fraction(fps)) == later


@pytest.mark.parametrize(
    ("fps", "written"), [(Fraction(10), "01:00:00:4"), (Fraction(50), "01:00:00:20"), (Fraction(25), "01:00:00:10")]
)
def test_a_timecode_counts_by_the_rate_of_the_new_pictures(tmp_path: Path, fps: Fraction, written: str) -> None:
    """Frame 10 of 25 is 0.4 s into its second at any rate."""
    carried = Carried(timecode="01:00:00:10", timecode_fps=Fraction(25))
    sink = VideoFileSink(tmp_path / "a.mp4", info_of(carried=carried, fps=fps, time_base=1 / fps), unpainted())
    record(sink, range(3))
    assert timecode_of(tmp_path / "a.mp4") == written


@pytest.mark.parametrize("text", ["", "now", "00:00:00:30", "1:2:3:4"])
def test_what_is_no_timecode_gives_none(text: str) -> None:
    """No number of frames that there cannot be, either."""
    assert timecode_after(text, 0, Fraction(30)) is None


def test_a_rotation_is_applied_and_not_said_again(copied, tmp_path: Path) -> None:
    """A clip filmed upright is upright, and nothing in the new file turns it once more."""
    clip = tmp_path / "upright.mp4"
    with av.open(str(clip), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.set_display_rotation(90)
        for _ in range(3):
            container.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(video.encode(None))
    path, _ = copied(clip, ".mp4")
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)


def test_a_second_track_of_pictures_is_named_and_takes_nothing_from_the_first(copied, tmp_path: Path) -> None:
    """As a rear camera's, or of thumbnails: all frames come, and the note names the track."""
    clip = tmp_path / "two.mp4"
    with av.open(str(clip), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        small = container.add_stream("mjpeg", rate=FPS)
        for stream, pixels in ((video, "yuv420p"), (small, "yuvj420p")):
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for index in range(FRAMES):
            container.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
            if index > 20:
                frame = av.VideoFrame(64, 48, "yuvj420p")
                frame.pts = index
                container.mux(small.encode(frame))
        for stream in (video, small):
            container.mux(stream.encode(None))
    path, notes = copied(clip, ".mp4")
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == FRAMES
    assert notes == ["left out, as the output cannot carry it: pictures track 2 (mjpeg)"]

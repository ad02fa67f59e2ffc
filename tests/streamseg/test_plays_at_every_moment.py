"""Whatever ends a run, at most the last second of film is lost, and the next run goes on from the rest."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
import pytest

from streamseg.atomic import is_part, parts_of
from streamseg.cli import main
from streamseg.errors import SinkError
from streamseg.frame import Frame
from streamseg.pipeline import Pipeline
from streamseg.segmentation import Segmentation
from streamseg.sinks import Sink, StatisticsSink, VideoFileSink
from streamseg.sinks.own_thread import OnItsOwnThread
from streamseg.sources.base import Source
from streamseg.sources.mp4_boxes import boxes
from streamseg.sources.pipe import PipeReader
from streamseg.sources.video_file import VideoFileSource
from tests.builders import write_clip
from tests.streamseg.sinks.recordings import CLASSES, begins, info_of, pictures, result, stored, unpainted
from tests.waiting import wait_until

VIDEOS = ("out.mp4", "out.mov", "out.mkv", "out.webm")
_RATE = 25  # frames a second, of `info_of` and of `write_clip`
_LOST = _RATE + 10  # frames at most: a second of film, and those on the way to the file

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`streamseg run WORDS` in the folder of the test, in this process; returns the exit code.

    A signal that comes after the run has ended is nobody's: it would end the process that runs the tests.
    """
    monkeypatch.chdir(tmp_path)
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), lambda *_: None) for name in names}
    yield lambda *words: main(["run", *words, "--model", str(model), "--device", "cpu"])
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


def as_killed(sink: VideoFileSink, path: Path, copy: Path) -> Path:
    """What a kill at this moment would leave: the file as it is, with nothing finished. Ends the sink."""
    (part,) = parts_of(path)
    shutil.copyfile(part, copy)
    sink.close("failed")
    part.unlink()
    return copy


@pytest.mark.parametrize("name", VIDEOS)
def test_a_recording_that_is_killed_plays_and_lacks_less_than_a_second(tmp_path: Path, name: str) -> None:
    """By name and place it is what anybody would look for, and its pictures are those that were written."""
    path = tmp_path / name
    sink = VideoFileSink(path, info_of(), unpainted())
    for index in range(60):
        sink.write(result(index, index))
    (part,) = tmp_path.glob("out.partial.*")
    assert part.suffix == path.suffix
    killed = as_killed(sink, path, tmp_path / f"killed{path.suffix}")
    assert len(pictures(killed)) >= 60 - _LOST
    assert begins(killed) == pytest.approx([Fraction(n, _RATE) for n in range(len(begins(killed)))], abs=1e-3)


@pytest.mark.parametrize("name", VIDEOS)
def test_what_is_visible_opens_from_its_first_moment_on(tmp_path: Path, name: str) -> None:
    """Killed before there is a picture in it, there is no file; what is hidden then, the next run removes."""
    path = tmp_path / name
    sink = VideoFileSink(path, info_of(), unpainted())
    seen = []
    for index in range(20):
        sink.write(result(index, index))
        seen.append([len(pictures(part)) for part in parts_of(path)])
    assert seen[0] in ([], [1])
    assert all(counts and counts[0] > 0 for counts in seen[14:])
    assert all(count > 0 for counts in seen for count in counts)
    sink.close("complete")
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert len(pictures(path)) == 20


def test_a_second_run_to_an_output_that_is_being_written_says_only_that(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What lies there is not what an earlier run left: the other run is at it."""
    write_clip(tmp_path / "clip.mp4", frames=3)
    first = VideoFileSink(Path("out.mp4"), info_of(), unpainted())
    for index in range(20):
        first.write(result(index, index))
    assert parts_of(tmp_path / "out.mp4")
    for words in ((), ("--resume",)):
        assert run("clip.mp4", "out.mp4", *words) == 5
        assert capsys.readouterr().err == (
            "streamseg: cannot write 'out.mp4': another run is writing there; let it end, or write elsewhere\n"
        )
    first.close("complete")
    assert len(pictures(tmp_path / "out.mp4")) == 20


def late_sound(path: Path, begins_s: float) -> Path:
    """A clip of 3 s whose sound begins late."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for index in range(3 * _RATE):
            grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 3 * index, np.uint8), format="bgr24")
            container.mux(video.encode(grey))
            if index / _RATE >= begins_s:
                heard = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.float32), format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 48_000, index * 1920
                container.mux(sound.encode(heard))
        for stream in (video, sound):
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("begins_s", [0.0, 1.6, 9.0], ids=["at once", "late", "never"])
def test_sound_that_comes_late_or_never_keeps_no_picture_from_the_disk(tmp_path: Path, begins_s: float) -> None:
    """FFmpeg writes nothing of an MP4 until all tracks have begun, and would keep an hour of film in memory."""
    source = late_sound(tmp_path / "source.mkv", begins_s)
    path = tmp_path / "out.mp4"
    with VideoFileSource(source) as opened:
        info = info_of(tracks=opened.info.tracks)
        whole = VideoFileSink(tmp_path / "whole.mp4", info, unpainted())
        cut = VideoFileSink(path, info, unpainted())
        for _ in opened:
            continue
        for index in range(3 * _RATE):
            whole.write(result(index, index))
            if index < 50:
                cut.write(result(index, index))
        whole.close("complete")
        assert len(pictures(as_killed(cut, path, tmp_path / "killed.mp4"))) >= 50 - _LOST
    assert begins(tmp_path / "whole.mp4") == [Fraction(n, _RATE) for n in range(3 * _RATE)]
    if begins_s < 3:
        (first, *_), (expected, *_) = stored(tmp_path / "whole.mp4", "audio"), stored(source, "audio")
        assert float(first.begin_s) == pytest.approx(float(expected.begin_s), abs=0.002)


@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_a_finished_video_has_its_index_in_front_and_nothing_beside_it(tmp_path: Path, name: str) -> None:
    """It plays while it is still being loaded, as ever."""
    sink = VideoFileSink(tmp_path / name, info_of(), unpainted())
    for index in range(30):
        sink.write(result(index, index))
    sink.close("complete")
    path = tmp_path / name
    with path.open("rb") as file:
        kinds = [box.name for box in boxes(file, 0, path.stat().st_size)]
    assert [kind for kind in kinds if kind not in (b"free", b"wide")] == [b"ftyp", b"moov", b"mdat"]
    assert len(pictures(path)) == 30
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("numbers", [("SIGHUP",), ("SIGINT", "SIGINT", "SIGINT"), ("SIGTERM", "SIGHUP", "SIGINT")])
def test_signals_end_a_run_in_order_however_many_come(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], numbers: tuple[str, ...]
) -> None:
    """A closed terminal and an impatient Ctrl-C find a whole file."""
    ended = threading.Event()

    def send() -> None:
        wait_until(lambda: ended.is_set() or any(map(_has_content, parts_of(tmp_path / "out.mkv"))), "nothing came")
        for name in numbers if not ended.is_set() else ():
            os.kill(os.getpid(), getattr(signal, name))

    sender = threading.Thread(target=send)
    sender.start()
    code = run("synthetic:64x64,frames=0", "out.mkv")
    ended.set()
    sender.join()
    said = capsys.readouterr()
    assert code == 130, said.err
    assert len(begins(tmp_path / "out.mkv")) == int(said.out.split(" out,")[0].split()[-1])
    assert not parts_of(tmp_path / "out.mkv")


def _has_content(path: Path) -> bool:
    return path.stat().st_size > 0


def test_ctrl_c_as_soon_as_the_page_is_told_ends_the_run_in_order(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first frame is read, and while other outputs are still being opened."""
    write_clip(tmp_path / "clip.mp4", frames=5)
    echo = click.echo

    def end_at_the_page(text: str, **how: Any) -> None:
        echo(text, **how)
        if text.startswith("to watch"):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("click.echo", end_at_the_page)
    assert run("clip.mp4", "out.mp4", "--serve", "0", "--report", "r.json") == 130
    said = capsys.readouterr()
    assert "0 frames in, 0 out" in said.out
    assert "stopped early" in said.err
    assert json.loads((tmp_path / "r.json").read_text())["sources"][0]["run"]["outcome"] == "cut"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_signal_while_the_source_is_opened_ends_it_and_is_in_the_report(run: Run, tmp_path: Path) -> None:
    """SIGTERM as Ctrl-C: whoever ends a run from outside learns how it went all the same."""
    os.mkfifo(tmp_path / "clip.mp4")

    def end_once_it_is_open() -> None:
        with (tmp_path / "clip.mp4").open("wb"):  # waits for whoever reads
            os.kill(os.getpid(), signal.SIGTERM)
            ended.wait()

    ended = threading.Event()
    sender = threading.Thread(target=end_once_it_is_open)
    sender.start()
    try:
        assert run("clip.mp4", "out.mkv", "--report", "r.json") == 130
    finally:
        ended.set()
        sender.join()
    assert json.loads((tmp_path / "r.json").read_text())["status"] == "stopped"
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_ctrl_c_while_a_pipe_that_stalls_is_opened_is_no_error_of_the_source(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg, which is reading just then, sees the end of a file; that is what a person wanted, and exit 130."""
    os.mkfifo(tmp_path / "clip.ts")
    whole = write_clip(tmp_path / "whole.ts", frames=30).read_bytes()
    waits, ended = PipeReader._is_there, threading.Event()

    def end_once_nothing_comes(reader: PipeReader) -> bool:
        there = waits(reader)
        if not there and reader._head == b"" and began.is_set():
            os.kill(os.getpid(), signal.SIGINT)
        return there

    began = threading.Event()

    def write() -> None:
        with (tmp_path / "clip.ts").open("wb") as pipe:
            pipe.write(whole[:6000])
            pipe.flush()
            began.set()
            ended.wait()

    monkeypatch.setattr(PipeReader, "_is_there", end_once_nothing_comes)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert run("clip.ts", "out.mkv", "--report", "r.json") == 130
    finally:
        ended.set()
        writer.join()
    assert "not a video" not in capsys.readouterr().err
    assert json.loads((tmp_path / "r.json").read_text())["status"] == "stopped"


def test_closed_standard_streams_take_nothing_along(model: Path, tmp_path: Path) -> None:
    """No file gets the number of standard error and what libraries print into it; a video to nowhere is an error."""
    write_clip(tmp_path / "clip.mp4", frames=5)
    run = f"'{sys.executable}' -m streamseg run clip.mp4"
    script = f"{run} out.mp4 --model '{model}' <&- >&- 2>&-; echo $?; {run} - --model '{model}' 3>&1 >&-; echo $?"
    ended = subprocess.run(["sh", "-c", script], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert ended.stdout.split() == ["0", "5"], ended.stderr
    assert "cannot write 'standard output'" in ended.stderr
    assert len(pictures(tmp_path / "out.mp4")) == 5


class Stalled(Source):
    """Three frames, and then a read that returns as little as `close` does, as on a share that is gone."""

    def __init__(self) -> None:
        self.info = info_of()
        self.free = threading.Event()
        self.stalls = threading.Event()
        self._lock = threading.Lock()
        self._next = 0

    def read(self) -> Frame | None:
        with self._lock:
            index, self._next = self._next, self._next + 1
            if index == 3:
                self.stalls.set()
                self.free.wait()
                return None
            return result(index, index).frame

    def close(self) -> None:
        with self._lock:
            pass


@pytest.fixture
def stalled() -> Iterator[Stalled]:
    """A source that hangs until the test is over."""
    source = Stalled()
    yield source
    source.free.set()


def test_a_read_that_never_returns_can_be_ended(stalled: Stalled, tmp_path: Path) -> None:
    """Its thread is left behind; what was read is finished."""

    class Stopping(Sink):
        """Ends the run once the source hangs."""

        def write(self, segmentation: Segmentation) -> bool:
            if segmentation.frame.index == 2:
                stalled.stalls.wait()
            return segmentation.frame.index < 2

    sinks = [VideoFileSink(tmp_path / "out.mp4", info_of(), unpainted()), Stopping()]
    segment = lambda frame: Segmentation(frame, result().labels, CLASSES)  # noqa: E731
    report = Pipeline(stalled, segment, sinks, patience_s=0.05).run()
    assert report.outcome == "cut"
    assert len(pictures(tmp_path / "out.mp4")) == 3


def test_a_run_that_ends_before_its_first_frame_is_said_like_any_other(run: Run, tmp_path: Path, capsys) -> None:
    """No error, and no file."""
    write_clip(tmp_path / "clip.mp4", frames=5)
    assert run("clip.mp4", "out.mp4", "--start", "0:00", "--duration", "0.0001") == 0
    assert len(begins(tmp_path / "out.mp4")) == 1
    capsys.readouterr()


def test_the_next_run_says_what_lies_there_and_harms_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, with the way to go on from it."""
    write_clip(tmp_path / "clip.mp4", frames=8)
    left_behind(run, tmp_path / "out.mp4", frames=5)
    before = (tmp_path / "out.partial.mp4").read_bytes()
    capsys.readouterr()
    assert run("clip.mp4", "out.mp4") == 0
    assert capsys.readouterr().err == (
        "note: 'out.partial.mp4' is what an earlier run left of 'out.mp4'; --resume goes on from it\n"
    )
    assert (tmp_path / "out.partial.mp4").read_bytes() == before
    assert run("clip.mp4", "out.mp4", "--overwrite", "--alpha", "0.9") == 0
    assert capsys.readouterr().err == "note: 'out.partial.mp4' is what an earlier run left of 'out.mp4'\n"


def left_behind(run: Run, path: Path, frames: int, *words: str) -> None:
    """What a run of clip.mp4 leaves that is killed after so many frames."""
    assert run("clip.mp4", path.name, "--max-frames", str(frames), *words) == 0
    path.rename(path.with_stem(f"{path.stem}.partial"))


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm"])
def test_resume_makes_what_an_unbroken_run_would_have_made(run: Run, tmp_path: Path, name: str) -> None:
    """No frame twice and none missing, all but the last that were there unchanged, the sound as in one piece."""
    path = tmp_path / name
    write_clip(tmp_path / "clip.mp4", frames=40, sound=True)
    assert run("clip.mp4", f"whole{path.suffix}", "--stats", "whole.csv") == 0
    left_behind(run, path, 17, "--stats", "stats.csv", "--masks", "masks")
    (tmp_path / "stats.csv").rename(tmp_path / "stats.partial.csv")
    first = pictures(path.with_stem("out.partial"))
    assert run("clip.mp4", name, "--resume", "--stats", "stats.csv", "--masks", "masks") == 0
    whole = tmp_path / f"whole{path.suffix}"
    assert begins(path) == begins(whole)
    assert [each.length_s for each in stored(path)] == [each.length_s for each in stored(whole)]
    assert all(np.array_equal(one, other) for one, other in zip(pictures(path)[:12], first[:12], strict=True))
    assert len(pictures(path)) == 40
    assert stored(path, "audio") == stored(whole, "audio")
    lines = [line.split(",")[:3] for line in (tmp_path / "stats.csv").read_text().splitlines()]
    assert lines == [line.split(",")[:3] for line in (tmp_path / "whole.csv").read_text().splitlines()]
    assert sorted(each.stem for each in (tmp_path / "masks").glob("*.png")) == [f"{n:06d}" for n in range(40)]
    assert not [each for each in tmp_path.iterdir() if is_part(each)]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], 3),
        (["--effect", "blur:dark"], 1),
        (["--steady", "4", "--every", "3"], 4),
        (["--steady", "off", "--every", "3"], 8),
    ],
)
def test_resume_gives_the_labels_that_an_unbroken_run_would_have_given(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], kept: int
) -> None:
    """Also where labels look back at frames that are in the file, and ahead at those that an ended run never saw.

    kept: of the frames that are there.
    """
    write_clip(tmp_path / "clip.mp4", frames=16)
    assert run("clip.mp4", "whole.mp4", "--masks", "whole", *words) == 0
    left_behind(run, tmp_path / "out.mp4", 8, *words)
    capsys.readouterr()
    assert run("clip.mp4", "out.mp4", "--resume", "--masks", "masks", *words) == 0
    assert f"{16 - kept} frames in, {16 - kept} out" in capsys.readouterr().out
    made = sorted((tmp_path / "masks").glob("*.png"))
    assert [each.stem for each in made] == [f"{n:06d}" for n in range(kept, 16)]
    for each in made:
        assert each.read_bytes() == (tmp_path / "whole" / each.name).read_bytes(), each.name


def test_resume_goes_on_from_a_file_that_a_person_ended_and_from_what_is_whole_makes_the_same(
    run: Run, tmp_path: Path
) -> None:
    """After Ctrl-C it has its own name; a script may resume whatever it finds, and begin where there is nothing."""
    write_clip(tmp_path / "clip.mp4", frames=20)
    for limit in (["--max-frames", "9"], ["--load-timeout", "60"], []):
        assert run("clip.mp4", "out.mp4", "--resume", *limit) == 0
    assert len(pictures(tmp_path / "out.mp4")) == 20
    assert begins(tmp_path / "out.mp4") == [Fraction(n, _RATE) for n in range(20)]


def test_times_and_sound_are_the_same_however_labels_are_held_steady(run: Run, tmp_path: Path) -> None:
    """A stage that looks ahead delays results, and nothing in the file comes later for it."""
    write_clip(tmp_path / "clip.mp4", frames=12, sound=True)
    settings = (["--steady", "off"], [], ["--steady", "5"], ["--every", "3"], ["--every", "40"])
    kept = []
    for number, words in enumerate(settings):
        path = tmp_path / f"{number}.mp4"
        assert run("clip.mp4", path.name, *words) == 0
        kept.append((begins(path), stored(path, "audio")))
    assert len(kept[0][0]) == 12
    assert all(each == kept[0] for each in kept[1:])


def test_resume_takes_the_longest_of_what_lies_there(run: Run, tmp_path: Path) -> None:
    """A run that a person ended was gone on with, and that was killed."""
    write_clip(tmp_path / "clip.mp4", frames=20)
    left_behind(run, tmp_path / "out.mp4", 14)
    assert run("clip.mp4", "out.mp4", "--max-frames", "9", "-q") == 0
    assert run("clip.mp4", "out.mp4", "--resume") == 0
    assert begins(tmp_path / "out.mp4") == [Fraction(n, _RATE) for n in range(20)]
    assert not parts_of(tmp_path / "out.mp4")


def test_resume_of_what_a_kill_left_half_written(run: Run, tmp_path: Path) -> None:
    """The end of the file is in the middle of a fragment: pictures that are not whole are made again."""
    write_clip(tmp_path / "clip.mp4", frames=40)
    left_behind(run, tmp_path / "out.mkv", 30)
    part = tmp_path / "out.partial.mkv"
    part.write_bytes(part.read_bytes()[: part.stat().st_size * 3 // 4])
    assert run("clip.mp4", "out.mkv", "--resume") == 0
    assert begins(tmp_path / "out.mkv") == pytest.approx([n / _RATE for n in range(40)], abs=1e-3)
    assert len(pictures(tmp_path / "out.mkv")) == 40


def test_resume_where_a_kill_left_no_frame_begins_anew_with_all_outputs(run: Run, tmp_path: Path) -> None:
    """Masks are there before the video has a frame to go on from."""
    write_clip(tmp_path / "clip.mp4", frames=8)
    left_behind(run, tmp_path / "out.mkv", 5, "--masks", "masks", "--stats", "stats.csv")
    (tmp_path / "stats.csv").rename(tmp_path / "stats.partial.csv")
    part = tmp_path / "out.partial.mkv"
    with av.open(str(part)) as container:
        first = next(packet.pos for packet in container.demux(video=0))
    part.write_bytes(part.read_bytes()[:first])  # a header with the tag of streamseg, and nothing behind it
    assert run("clip.mp4", "out.mkv", "--resume", "--masks", "masks", "--stats", "stats.csv") == 0
    assert len(pictures(tmp_path / "out.mkv")) == len(list((tmp_path / "masks").glob("*.png"))) == 8
    assert len((tmp_path / "stats.csv").read_text().splitlines()) == 9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--alpha", "0.9"], "made from another source, with another model or other options"),
        (["another clip"], "made from another source, with another model or other options"),
        (["--segment", "1"], "--resume goes on with the video of a recording"),
        (["null:"], "--resume goes on with the video of a recording"),
    ],
)
def test_resume_refuses_what_would_not_fit(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], said: str
) -> None:
    """In one line, and what is there stays."""
    write_clip(tmp_path / "clip.mp4", frames=8)
    left_behind(run, tmp_path / "out.mp4", 5)
    before = (tmp_path / "out.partial.mp4").read_bytes()
    capsys.readouterr()
    output = "null:" if change == ["null:"] else "out.mp4"
    if change == ["another clip"]:
        write_clip(tmp_path / "clip.mp4", frames=9)
    options = change if change[0].startswith("--") else []
    assert run("clip.mp4", output, "--resume", *options) in (2, 5)
    assert said in capsys.readouterr().err
    assert (tmp_path / "out.partial.mp4").read_bytes() == before


def test_statistics_keep_every_line_that_was_written(tmp_path: Path) -> None:
    """Each line is in the file before the next frame comes."""
    sink = StatisticsSink(tmp_path / "stats.csv", CLASSES)
    for index in range(4):
        sink.write(result(index, index))
        assert len((tmp_path / "stats.partial.csv").read_text().splitlines()) == index + 2
    sink.close("cut")


class Held(Sink):
    """Writes nothing until it may; `got` are the indices of what it took."""

    stage = "write held"

    def __init__(self) -> None:
        self.got: list[int] = []
        self.began, self.may = threading.Event(), threading.Event()
        self.outcomes: list[str] = []
        self.place = "disk"

    def write(self, segmentation: Segmentation) -> None:
        self.began.set()
        self.may.wait()
        self.got.append(segmentation.frame.index)

    def close(self, outcome: str) -> None:
        self.outcomes.append(outcome)


def test_a_disk_that_stands_still_holds_no_view_and_what_is_left_out_is_said() -> None:
    """Of what waits, the oldest goes; all that is taken comes in order."""
    disk = Held()
    sink = OnItsOwnThread(disk, (48, 64))
    sink.write(result(0))
    disk.began.wait()
    for index in range(1, 101):  # sixty fit behind the one that is being written
        sink.write(result(index))
    disk.may.set()
    sink.close("cut")
    assert disk.got == [0, *range(41, 101)]
    assert disk.outcomes == ["cut"]
    assert sink.notes == ["40 frames were not written to 'disk': the disk or the encoder was too slow"]


def test_what_fails_on_its_own_thread_reaches_the_caller(tmp_path: Path) -> None:
    """With the first error, and the file is closed as failed."""

    class Full(VideoFileSink):
        def write(self, segmentation: Segmentation) -> None:
            if segmentation.frame.index:
                raise SinkError("the disk is full")
            super().write(segmentation)

    sink = OnItsOwnThread(Full(tmp_path / "out.mp4", info_of(), unpainted()), (48, 64))
    sink.write(result(0, 0))
    index = itertools.count(1)
    with pytest.raises(SinkError, match="the disk is full"):
        wait_until(lambda: sink.write(result(n := next(index), n)), "the error did not come")
    sink.close("failed")
    assert len(begins(tmp_path / "out.partial.mp4")) == 1
    assert sink.place == str(tmp_path / "out.partial.mp4")


def test_a_video_goes_to_standard_output_alone(run: Run, tmp_path: Path, capfdbinary) -> None:
    """As Matroska that is read while it is made; all that is said goes to standard error."""
    write_clip(tmp_path / "clip.mp4", frames=12, sound=True)
    assert run("clip.mp4", "-") == 0
    written = capfdbinary.readouterr()
    (tmp_path / "read.mkv").write_bytes(written.out)
    assert begins(tmp_path / "read.mkv") == pytest.approx([n / _RATE for n in range(12)], abs=1e-3)
    assert stored(tmp_path / "read.mkv", "audio")
    assert not list(tmp_path.glob("-*"))


def test_a_reader_that_goes_away_ends_the_run_quietly(run: Run, tmp_path: Path, capfd) -> None:
    """As `head` does."""
    write_clip(tmp_path / "clip.mp4", frames=200)
    reading, writing = os.pipe()
    kept = os.dup(1)
    os.dup2(writing, 1)
    os.close(writing)
    os.close(reading)
    try:
        assert run("clip.mp4", "-") == 0
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert "rror" not in capfd.readouterr().err

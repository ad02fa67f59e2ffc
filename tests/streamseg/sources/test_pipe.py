"""Recordings that come through a pipe are read once, with all that is in them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from streamseg import SourceError, UsageError, open_source
from streamseg.cli import main
from streamseg.options import Reader
from tests.streamseg.sources.clips import Clip

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in its folders")

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds, 50 frames, with sound."""
    return Clip(frames=50, sound="aac", options={"bf": "2"}).write(tmp_path_factory.mktemp("pipe") / "clip.ts")


@contextmanager
def piped(data: bytes, path: Path) -> Iterator[str]:
    """A named pipe that somebody writes into, once."""
    os.mkfifo(path)

    def write() -> None:
        try:
            path.write_bytes(data)
        except BrokenPipeError:
            return  # the reader had enough

    writer = threading.Thread(target=write)
    writer.start()
    yield str(path)
    writer.join()


@pytest.mark.parametrize(
    ("name", "options"), [("a.ts", {}), ("b.mkv", {}), ("c.mp4", FRAGMENTED), ("d.mp4", {"movflags": "faststart"})]
)
@pytest.mark.parametrize("start_s", [0.0, 1.0])
def test_all_frames_and_all_sound_come_through_a_pipe(
    tmp_path: Path, name: str, options: dict[str, str], start_s: float
) -> None:
    """The same as from the file itself, also from a time on."""
    path = Clip(frames=50, sound="aac", container_options=options).write(tmp_path / name)

    def all_of(address: str) -> tuple[list[int | None], list[bytes], str | None]:
        with open_source(address, start_s=start_s) as source:
            assert source.info.tracks is not None
            sound = source.info.tracks.subscribe("audio")
            times = [frame.pts for frame in source]
            heard = [bytes(packet.data) for packet in sound.take(9.0) if packet.begin_s >= start_s - 0.1]
            sound.close()
            return times, heard, source.damage

    with piped(path.read_bytes(), tmp_path / "pipe") as pipe:
        through = all_of(pipe)
    assert through == all_of(str(path))
    assert len(through[0]) >= (50 if start_s == 0 else 25)


def test_standard_input_is_a_source(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `-`, be it a pipe or a file."""
    with piped(clip.read_bytes(), tmp_path / "pipe") as pipe, open(pipe) as stdin:  # noqa: PTH123 - as a shell does
        monkeypatch.setattr(sys, "stdin", stdin)
        with open_source("-") as source:
            assert len(list(source)) == 50
    at_its_end = Clip(frames=20).write(tmp_path / "index_at_the_end.mp4")
    with at_its_end.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with open_source("-") as source:
            assert len(list(source)) == 20


def test_nothing_but_the_reader_takes_from_a_named_pipe(clip: Path, tmp_path: Path, model: Path) -> None:
    """Also of a run that writes a video and positions; it cannot be gone on with, as it has gone by."""
    run = ["--model", str(model), "--device", "cpu", "--gps", str(tmp_path / "positions.csv")]
    with piped(clip.read_bytes(), tmp_path / "pipe.ts") as pipe:
        assert main(["run", pipe, str(tmp_path / "out.mkv"), *run]) == 0
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert len(list(container.decode(video=0))) == 50
    with piped(clip.read_bytes(), tmp_path / "again.ts") as pipe:
        assert main(["run", pipe, str(tmp_path / "out.mkv"), *run, "--resume"]) == 2


def test_an_mp4_whose_index_is_at_its_end_is_refused_in_one_line(tmp_path: Path) -> None:
    """With the way out: by then the pictures have gone by."""
    path = Clip(frames=50).write(tmp_path / "clip.mp4")
    with (
        piped(path.read_bytes(), tmp_path / "pipe") as pipe,
        pytest.raises(SourceError, match=r"index is at its end, which cannot be read from a pipe; give the file"),
    ):
        open_source(pipe)


def test_a_pipe_that_is_cut_is_no_end(tmp_path: Path) -> None:
    """The header told of more frames; those that came are handed out before the error."""
    path = Clip(frames=50, container_options={"movflags": "faststart"}).write(tmp_path / "clip.mp4")
    data = path.read_bytes()
    frames = 0
    with (
        piped(data[: len(data) * 3 // 4], tmp_path / "pipe") as pipe,
        open_source(pipe) as source,
        pytest.raises(SourceError, match=r"breaks off after .* of about 50"),
    ):
        for _ in source:
            frames += 1
    assert 0 < frames < 49


def test_a_pipe_that_brings_nothing_is_said(tmp_path: Path) -> None:
    """It is no truncated file."""
    with piped(b"", tmp_path / "pipe") as pipe, pytest.raises(SourceError, match="nothing comes from"):
        open_source(pipe)


def test_a_pipe_that_stalls_can_be_closed(clip: Path, tmp_path: Path) -> None:
    """`close` ends a read that waits for more."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR)  # a writer that never ends
    data = clip.read_bytes()
    fed = threading.Thread(target=lambda: os.write(holder, data))
    fed.start()
    source = open_source(str(path))
    ended = threading.Event()
    reader = threading.Thread(target=lambda: (list(source), ended.set()))
    reader.start()
    fed.join()
    source.close()
    assert ended.wait(60)
    reader.join()
    os.close(holder)


@pytest.mark.parametrize(("reader", "decoder"), [("opencv", "cpu"), ("pyav", "cuda")])
def test_what_needs_a_second_look_refuses_a_pipe(tmp_path: Path, reader: Reader, decoder: str) -> None:
    """In one line, and nobody waits for a writer."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match=r"pipe"):
        open_source(str(tmp_path / "pipe"), reader=reader, decoder=decoder)


def test_a_benchmark_of_a_pipe_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """It would be read several times."""
    assert main(["bench", "-"]) == UsageError.exit_code
    assert "a benchmark reads its source several times" in capsys.readouterr().err

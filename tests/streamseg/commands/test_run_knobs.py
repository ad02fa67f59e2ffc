"""`streamseg run`: what is written may be smaller, and the network's input too."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from streamseg.cli import main
from streamseg.sources import open_source
from tests.builders import offering, threshold_model, write_clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 40 frames at 20 a second with sound, and a model that offers 64x48 and 32x24."""
    folder = tmp_path_factory.mktemp("knobs")
    write_clip(folder / "clip.mp4", 40, (96, 128), fps=20, sound=True)
    offering(threshold_model(folder / "net.onnx"), (24, 32))
    return folder


def run(folder: Path, output: str, *options: str) -> int:
    """The exit code."""
    place = output if output == "null:" else f"{folder}/{output}"  # with the / of a folder
    return main(["run", str(folder / "clip.mp4"), place, "--model", str(folder / "net.onnx"), *options])


def test_size_rate_and_bits_are_asked_for(folder, capsys):
    """All at once: half as high, at 10 frames a second, in step with the sound, at the quality that was said."""
    code = run(folder, "small.mp4", "--height", "48", "--output-fps", "10", "--crf", "30", "--size", "32x24", "-v")
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "model: threshold, 32x24" in said.out
    assert "note: frames for 10 a second: 20 left out" in said.err
    with av.open(str(folder / "small.mp4")) as film:
        frames = [float(frame.time) for frame in film.decode(video=0)]
        assert (film.streams.video[0].width, film.streams.video[0].height) == (64, 48)
        assert film.streams.audio
    assert frames == pytest.approx([i / 10 for i in range(20)], abs=0.001)
    assert run(folder, "by-rate.webm", "--bitrate", "80k", "--height", "48", "-q") == 0
    assert run(folder, "pictures/", "--frames", "--height", "24", "-q") == 0
    with open_source(str(folder / "pictures")) as pictures:
        assert (pictures.info.size, pictures.info.frame_count) == ((24, 32), 40)


@pytest.mark.parametrize(
    ("output", "options", "code", "said"),
    [
        ("out.mp4", "--crf 20 --bitrate 1M", 2, "--crf and --bitrate are two ways to say how large a video becomes"),
        ("out.mp4", "--crf 60", 5, "with --crf 60: libx264 takes 0 to 51; use --bitrate"),
        ("out.mp4", "--bitrate fast", 2, "'fast' is not a bit rate; write bits a second, such as 4M or 800k"),
        ("out.mp4", "--bitrate 0", 2, "'0' is not a bit rate"),
        ("out.mp4", "--height 91", 2, "--height must be even"),
        ("out.mp4", "--height 9000", 2, "--height must be a whole number, from 2 to 8192"),
        ("out.mp4", "--output-fps 100000", 2, "--output-fps must be at most 1000"),
        ("out.gif", "--crf 20", 2, "--crf says how large a video becomes; name an OUTPUT that ends in .mp4"),
        ("out/", "--frames --output-fps 5", 2, "--output-fps is for videos; name an OUTPUT"),
        ("null:", "--height 48", 2, "--height is of what is written; name an OUTPUT"),
        ("out.mp4", "--size 64x64", 4, "'net.onnx' has no input of 64x64; it has: 64x48, 32x24"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_nothing_is_left(folder, capsys, output, options, code, said):
    """With the flags that the person typed."""
    before = {each.name for each in folder.iterdir()}
    assert run(folder, output, *options.split()) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert {each.name for each in folder.iterdir()} - before <= {"out"}

"""A word in the wrong place, or a name that is nearly right, is answered with what was probably meant."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from streamseg.cli import main
from streamseg.progress import ProgressBar
from streamseg.sources import open_source
from tests.waiting import PATIENCE_S


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line of an error in the use of the command line."""
    code = main(list(words))
    out = capsys.readouterr()
    assert (code in (2, 3, 5), out.out, out.err.count("\n")) == (True, "", 1)
    return out.err


def test_without_any_word_there_is_help(capsys):
    """In its own lines, and it is no error."""
    assert main([]) == 0
    out = capsys.readouterr()
    assert out.out.startswith("Usage: streamseg ")
    assert "\n  run " in out.out
    assert out.err == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("my_clip.mp4", "streamseg run my_clip.mp4"),
        ("drive.TS --steady 2", "streamseg run drive.TS --steady 2"),
        ("0", "streamseg run 0"),
        ("rtsp://u:secret@cam/1", "streamseg run rtsp://u:***@cam/1"),
        ("rnu clip.mp4", "streamseg run clip.mp4"),
        ("synthetic:", "streamseg run synthetic:"),
    ],
)
def test_a_clip_where_a_command_belongs_is_told_the_command(capsys, words, meant):
    """Whole, so that it can be copied; what is near no command is refused as before."""
    assert f"did you mean '{meant}'?" in said(capsys, *words.split())
    assert "No such command 'frobnicate'" in said(capsys, "frobnicate")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("synthetic", "did you mean 'synthetic:', with the colon?"),
        ("Browser", "did you mean 'browser:', with the colon?"),
        ("window:", "'window:' is where pictures go; put a SOURCE before it"),
        ("null", "'null:' is where pictures go"),
        ("webcam", "asked for by its number, the first is 0"),
        ("192.168.1.4/stream", "did you mean 'rtsp://192.168.1.4/stream'?"),
        ("cam.local:8080/video", "did you mean 'http://cam.local:8080/video'?"),
        ("admin:pw@cam.lan/1", "did you mean 'rtsp://admin:***@cam.lan/1'?"),
        ("clip.mp4", "give synthetic:, browser:, a camera number"),
        ("my.clips/a.mp4", "give synthetic:, browser:, a camera number"),
        ("synthetic: window", "did you mean 'window:', with the colon?"),
        ("synthetic: -o out --max-frames 1", "for a new folder write 'out/', for a video 'out.mp4'"),
        ("synthetic: -o", "-o is followed by where to write, such as: -o out.mp4"),
    ],
)
def test_what_is_no_source_is_answered_with_what_was_meant(capsys, monkeypatch, tmp_path, words, hint):
    """Addresses without what they begin with, names without their colon, outputs in the place of sources."""
    monkeypatch.chdir(tmp_path)
    assert hint in said(capsys, "run", *words.split())


@pytest.mark.parametrize(
    ("name", "meant"), [("Person", "pedestrian"), ("sidewalk", "pavement"), ("vegetation", "tree"), ("raod", "road")]
)
def test_a_class_by_another_usual_name_is_told_the_models(capsys, tmp_path, monkeypatch, name, meant):
    """Also where nothing is painted, and for a colour."""
    monkeypatch.chdir(tmp_path)
    run = ["run", "synthetic:64x64", "null:", "--max-frames", "1", "--device", "cpu", "--precision", "fp32"]
    assert f"did you mean '{meant}'? It has: sky, " in said(capsys, *run, "--classes", name)
    if name != "raod":
        assert f"did you mean '{meant}'?" in said(capsys, *run, "--color", f"{name}=#ff0000")


@pytest.mark.parametrize(
    ("module", "package", "group"),
    [("train", "cv2", "train"), ("benchmarks.limit", "psutil", "bench")],
)
def test_a_program_of_the_checkout_without_its_packages_says_how_to_install_them(module, package, group):
    """On one line, whichever package it is."""
    words = ["fit", "x.py"] if module == "train" else []
    code = (
        f"import runpy, sys; sys.modules[{package!r}] = None; sys.argv = ['x', *{words!r}]; "
        f"runpy.run_module({module!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=Path.cwd()
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"the package '{package}' is missing" in done.stderr
    assert f"--group {group}" in done.stderr


def test_the_bar_keeps_its_numbers_in_80_columns(monkeypatch, tmp_path):
    """Whatever the name of the source; tqdm cuts what is too long at the right, where they are."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    source = open_source("synthetic:64x64,frames=1")
    info = source.info
    source.close()

    bar = ProgressBar(replace(info, address=f"/a/long/way/{'x' * 60}/drive 7.mp4"), 100_000)
    try:
        bar._bar.n = 54_321
        meter = bar._bar.format_meter(**{**bar._bar.format_dict, "elapsed": 400.0, "rate": 135.8, "ncols": 80})
    finally:
        bar.close("complete")
    assert len(meter) <= 80
    assert "drive 7.mp4:  54%|" in meter
    assert meter.endswith("| 54321/100000, 135.80 frames/s, 05:36 left")

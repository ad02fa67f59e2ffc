"""`streamseg run` with several sources, and what its words stand for: no recording is ever in danger."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamseg.cli import main
from streamseg.file_tag import written_by_streamseg
from tests.builders import write_clip
from tests.waiting import PATIENCE_S, wait_until

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`streamseg run WORDS` in the folder of the test, in this process; returns the exit code."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: main(["run", *words, "--model", str(model), "--device", "cpu"])


def clips(folder: Path, *names: str) -> dict[str, bytes]:
    """Clips of 6, 7, ... frames, and their bytes by path."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [write_clip(folder / name, frames=6 + number) for number, name in enumerate(names)]
    return {str(path): path.read_bytes() for path in paths}


def unchanged(before: dict[str, bytes]) -> bool:
    """Whether all are what they were."""
    return all(Path(path).read_bytes() == content for path, content in before.items())


def frames_in(path: Path) -> int:
    """How many frames a video has."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def names(folder: Path) -> list[str]:
    """All files in a folder and below, but for the model."""
    found = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in found if not name.endswith(".onnx"))


def picture(path: Path, value: int = 100) -> Path:
    """A photograph that nobody has tagged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((40, 60, 3), value, np.uint8))
    return path


@pytest.mark.parametrize("more", [(), ("--overwrite",)])
def test_two_clips_are_two_sources(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple) -> None:
    """As `*.mp4` gives them: each gets its overlay beside it, and no recording is replaced, --overwrite or not."""
    before = clips(tmp_path, "a.mp4", "b.mp4")
    assert run("a.mp4", "b.mp4", *more) == 0
    assert unchanged(before)
    assert names(tmp_path) == ["a.mp4", "a_overlay.mp4", "b.mp4", "b_overlay.mp4"]
    assert [frames_in(tmp_path / f"{name}_overlay.mp4") for name in "ab"] == [6, 7]
    assert capsys.readouterr().out.splitlines()[-1] == "2 sources, 2 done"


def test_a_second_run_over_all_leaves_out_its_own_overlays(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same glob, with what the first run wrote in it; a name alone does not make an overlay."""
    before = clips(tmp_path, "a.mp4", "b_overlay.mp4", "c.mp4")
    words = sorted(Path(path).name for path in before)
    assert run(*words) == 0
    everything = sorted(path.name for path in tmp_path.glob("*.mp4"))
    assert run(*everything, "--overwrite") == 0
    assert unchanged(before)
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == everything
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "3 sources, 3 done, left out what streamseg wrote itself: a_overlay.mp4, b_overlay_overlay.mp4, c_overlay.mp4"
    )


@pytest.mark.parametrize("word", ["drives", "drives/", "drives/*.mp4", "drives/*"])
def test_a_folder_or_glob_of_clips_is_all_of_them(run: Run, tmp_path: Path, word: str) -> None:
    """In order; what else a recorder leaves there is no source."""
    before = clips(tmp_path / "drives", "d2.mp4", "d10.mp4")
    (tmp_path / "drives" / "d2.gpx").write_text("<gpx/>")
    (tmp_path / "drives" / "._d2.mp4").write_bytes(b"\0" * 100)
    picture(tmp_path / "drives" / "d2.jpg")
    assert run(word) == 0
    assert run(word, "-o", "new") == 0
    assert unchanged(before)
    overlays = ["d10_overlay.mp4", "d2_overlay.mp4"]
    assert [name for name in names(tmp_path / "drives") if "overlay" in name] == overlays
    assert names(tmp_path / "new") == overlays


@pytest.mark.parametrize("words", [("out/",), ("-o", "out/"), ("-o", "out")])
def test_overlays_of_several_go_into_one_folder(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """It is made where a / or -o says that it is one."""
    before = clips(tmp_path, "a.mp4", "b.mp4")
    assert run("a.mp4", "b.mp4", *words) == 0
    assert unchanged(before)
    assert names(tmp_path / "out") == ["a_overlay.mp4", "b_overlay.mp4"]


def test_a_folder_that_is_there_is_the_output_of_one_clip_too(run: Run, tmp_path: Path) -> None:
    """It gets a video and not ten thousand pictures; --frames asks for those."""
    clips(tmp_path, "a.mp4")
    (tmp_path / "there").mkdir()
    assert run("a.mp4", "there") == 0
    assert names(tmp_path / "there") == ["a_overlay.mp4"]
    assert run("a.mp4", "pictures/", "--frames") == 0
    assert names(tmp_path / "pictures") == [f"{index:06d}.png" for index in range(6)]
    assert run("a.mp4", "--frames") == 0
    assert names(tmp_path / "a_overlay") == [f"{index:06d}.png" for index in range(6)]


def test_pictures_of_several_clips_do_not_mix(run: Run, tmp_path: Path) -> None:
    """Frames, masks and statistics of each are told apart by its name."""
    clips(tmp_path, "a.mp4", "b.mp4")
    assert run("a.mp4", "b.mp4", "-o", "out", "--frames", "--masks", "masks", "--stats", "stats.csv") == 0
    for name, count in (("a", 6), ("b", 7)):
        assert len(list((tmp_path / "out" / f"{name}_overlay").iterdir())) == count
        assert len(list((tmp_path / "masks" / name).iterdir())) == count
        assert len((tmp_path / f"stats_{name}.csv").read_text().splitlines()) == count + 1


def test_one_that_fails_does_not_stop_the_rest_and_the_worst_is_the_exit_code(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error is one line with the source's name; the summary has them all."""
    clips(tmp_path, "a.mp4", "c.mp4", "d.mp4")
    (tmp_path / "b.mp4").write_bytes(b"no video")
    (tmp_path / "c_overlay.mp4").write_bytes(b"precious")
    assert run("a.mp4", "b.mp4", "c.mp4", "d.mp4") == 5
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert [line.split(":")[:2] for line in lines] == [["streamseg", " b.mp4"], ["streamseg", " c.mp4"]]
    assert "c_overlay.mp4' already exists and was not written by streamseg" in lines[1]
    assert said.out.splitlines()[-1] == "4 sources, 2 done, 2 failed (b.mp4, c.mp4)"
    assert (tmp_path / "c_overlay.mp4").read_bytes() == b"precious"
    assert frames_in(tmp_path / "d_overlay.mp4") == 8
    assert run("a.mp4", "b.mp4", "d.mp4", "--overwrite") == 3


def test_a_network_that_cannot_be_loaded_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be the same for every source."""
    clips(tmp_path, "a.mp4", "b.mp4")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "a.mp4", "b.mp4", "--model", "none.onnx"]) == 4
    assert capsys.readouterr().err.count("none.onnx") == 1


def test_two_clips_of_one_name_do_not_replace_each_others_overlay(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with --overwrite, which was meant for earlier results."""
    clips(tmp_path / "x", "a.mp4")
    clips(tmp_path / "y", "-.mp4", "a.mp4")
    assert run("x/a.mp4", "y/a.mp4", "-o", "out/", "--overwrite") == 5
    assert "'out/a_overlay.mp4' is where the results of 'x/a.mp4' are" in capsys.readouterr().err
    assert frames_in(tmp_path / "out" / "a_overlay.mp4") == 6


def test_several_sources_never_go_into_one_file(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused before anything is begun, with the way out."""
    before = clips(tmp_path, "a.mp4", "b.mp4")
    for words in (("a.mp4", "b.mp4", "out.mp4"), ("a.mp4", "b.mp4", "-o", "b.mp4"), (".", "-o", "out.mp4")):
        assert run(*words, "--overwrite") == 2
        assert "2 sources cannot go into one file" in capsys.readouterr().err
    assert unchanged(before)
    assert names(tmp_path) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("clip", ("-o", "b.mp4")),
        *((content, named) for content in ("text", "") for named in (("-o", "b.mp4"), ("b.mp4",))),
    ],
)
def test_what_streamseg_did_not_write_is_never_the_output(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], named: tuple[str, ...], content: str
) -> None:
    """By -o or as the last word, --overwrite or not: exit code 5, and no advice that would destroy it.

    A clip as the last word is a second source: that is the first test of this file.
    """
    before = clips(tmp_path, "a.mp4", "b.mp4")
    if content != "clip":
        (tmp_path / "b.mp4").write_text(content)
        before[str(tmp_path / "b.mp4")] = content.encode()
    for more in ((), ("--overwrite",)):
        assert run("a.mp4", *named, *more) == 5
        said = capsys.readouterr()
        assert "'b.mp4' already exists and was not written by streamseg, so it is never replaced" in said.err
        assert "--overwrite" not in said.err
        assert said.err.count("\n") == 1
    assert unchanged(before)


def test_an_earlier_result_is_replaced_where_that_is_asked_for(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the last word or with -o; without --overwrite the line names it."""
    clips(tmp_path, "a.mp4")
    assert run("a.mp4", "out.mp4", "--max-frames", "2") == 0
    for words in (("a.mp4", "out.mp4"), ("a.mp4", "-o", "out.mp4"), ("-o", "out.mp4", "a.mp4")):
        assert run(*words) == 5
        assert "'out.mp4' already exists; choose another name or add --overwrite" in capsys.readouterr().err
        assert frames_in(tmp_path / "out.mp4") == 2
    assert run("a.mp4", "out.mp4", "--overwrite") == 0
    assert frames_in(tmp_path / "out.mp4") == 6


def test_a_misspelt_word_becomes_no_folder_of_pictures(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Today's typing error is tomorrow's ten thousand files."""
    clips(tmp_path, "a.mp4")
    for words, code in ((("a.mp4", "overaly"), 2), (("a.mp4", "-o", "overaly"), 5)):
        assert run(*words) == code
        assert "folder" in capsys.readouterr().err
    assert names(tmp_path) == ["a.mp4"]


def test_a_live_source_is_run_on_its_own(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sources behind it would never have their turn; a password in its address is not shown."""
    clips(tmp_path, "a.mp4")
    assert run("rtsp://me:s3cret@127.0.0.1:9/x", "a.mp4") == 2
    error = capsys.readouterr().err
    assert "'rtsp://me:***@127.0.0.1:9/x' is live and has no end; run it on its own" in error
    assert names(tmp_path) == ["a.mp4"]


def test_a_picture_gives_a_picture_beside_it(run: Run, tmp_path: Path) -> None:
    """In the kind that it has, or PNG; several are as many; and a second run over all takes no overlay."""
    for name in ("photo.jpg", "shot.png", "old.bmp"):
        picture(tmp_path / name)
    assert run("photo.jpg") == 0
    assert names(tmp_path) == ["old.bmp", "photo.jpg", "photo_overlay.jpg", "shot.png"]
    everything = ("old.bmp", "photo.jpg", "photo_overlay.jpg", "shot.png")
    assert run(*everything, "--overwrite") == 0
    assert names(tmp_path) == sorted([*everything, "old_overlay.png", "shot_overlay.png"])
    assert run("shot.png", "other.jpg") == 0
    assert cv2.imread(str(tmp_path / "other.jpg")).shape == (40, 60, 3)
    assert written_by_streamseg(tmp_path / "other.jpg")


def test_overlays_among_pictures_are_not_segmented_again(run: Run, tmp_path: Path) -> None:
    """A folder, and a glob of it."""
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "b.png")
    assert run("in/a.png") == 0
    assert names(tmp_path / "in") == ["a.png", "a_overlay.png", "b.png"]
    assert run("in", "out") == 0
    assert names(tmp_path / "out") == ["a.png", "b.png"]
    assert run("in/*.png", "globbed/") == 0
    assert names(tmp_path / "globbed") == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("output", "written"),
    [
        ("out.gif", ["out.gif"]),
        ("out/%03d.png", [f"out/{index:03d}.png" for index in range(6)]),
        ("out/frame_%d.jpg", [f"out/frame_{index}.jpg" for index in range(6)]),
    ],
)
def test_pictures_of_a_clip_are_asked_for_by_name(run: Run, tmp_path: Path, output: str, written: list[str]) -> None:
    """An animation, or a picture for every frame."""
    clips(tmp_path, "a.mp4")
    assert run("a.mp4", output) == 0
    assert names(tmp_path) == sorted(["a.mp4", *written])


def test_one_picture_of_a_clip_is_one_frame(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And all of them are refused before the first, with the way out in flags."""
    clips(tmp_path, "a.mp4")
    assert run("a.mp4", "out.png") == 5
    assert "write 'out_%06d.png' for all of them, or pass --max-frames 1" in capsys.readouterr().err
    assert run("a.mp4", "out.png", "--max-frames", "1") == 0
    assert names(tmp_path) == ["a.mp4", "out.png"]


def test_ctrl_c_ends_all_of_it_and_says_what_was_not_begun(model: Path, tmp_path: Path) -> None:
    """The one that was running is finished; the next is not begun."""
    clips(tmp_path, "z.mp4")
    words = ["synthetic:320x180,frames=0", "z.mp4", "-o", "out/", "--model", str(model), "--device", "cpu"]
    command = [sys.executable, "-m", "streamseg", "run", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(
            lambda: any(path.stat().st_size > 20_000 for path in tmp_path.glob("out/*.partial*")) or process.poll(),
            "nothing was written",
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert out.splitlines()[-1] == "2 sources, 1 stopped (synthetic:320x180,frames=0), 1 not begun"
    assert names(tmp_path / "out") == ["synthetic_overlay.mp4"]


def test_with_overwrite_a_source_that_breaks_off_leaves_the_old_overlay(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new one, which is shorter, lies beside it under a name that says so."""
    write_clip(tmp_path / "a.mkv", frames=60)
    assert run("a.mkv") == 0
    before = (tmp_path / "a_overlay.mp4").read_bytes()
    whole = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(whole[: len(whole) // 2])
    assert run("a.mkv", "--overwrite") == 3
    assert (tmp_path / "a_overlay.mp4").read_bytes() == before
    assert 0 < frames_in(tmp_path / "a_overlay.partial.mp4") < 60
    assert "a_overlay.partial.mp4" in capsys.readouterr().out


def test_the_source_as_its_own_output_is_refused_by_whatever_name(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not taken for two sources."""
    before = clips(tmp_path, "a.mp4")
    (tmp_path / "link.mp4").symlink_to("a.mp4")
    for word in ("a.mp4", "./a.mp4", "link.mp4"):
        assert run("a.mp4", word, "--overwrite") == 5
        assert "is the source itself" in capsys.readouterr().err
    assert unchanged(before)
    assert names(tmp_path) == ["a.mp4", "link.mp4"]

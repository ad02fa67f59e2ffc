"""`streamseg run` as a person uses it: what comes out, where, and what is said."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from streamseg import sources
from streamseg.cli import main
from streamseg.sources.synthetic import open_synthetic
from tests.builders import logits_model, write_clip
from tests.waiting import PATIENCE_S, wait_until


def frame_times(path: Path) -> list[float]:
    """Presentation times of all video frames, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def test_a_clip_becomes_an_overlay_beside_it(streamseg, clip, model):
    """Every frame, the same times, the default name, and closing lines that say so."""
    done = streamseg("run", clip, "--model", model)
    assert done.code == 0, done.err
    overlay = clip.with_name("clip_overlay.mp4")
    assert frame_times(overlay) == pytest.approx(frame_times(clip), abs=0.001)
    assert "20 frames in, 20 out, 0 dropped" in done.out
    size = overlay.stat().st_size
    for part in ("0.8 s of video in ", " times real speed, ", " frames a second\n", " | on cpu\n"):
        assert part in done.out
    assert done.out.endswith(f"-> {overlay}, {size / 1000:.1f} kB\n")
    assert "latency" not in done.out
    assert done.err == ""


def test_sound_is_copied_bit_by_bit(streamseg, tmp_path, model):
    """The same packets, in time."""
    source = write_clip(tmp_path / "talk.mp4", frames=50, sound=True)
    done = streamseg("run", source, "--model", model, "--quiet")
    assert done.code == 0, done.err

    def sound(path: Path) -> list[tuple[float, bytes]]:
        with av.open(str(path)) as container:
            packets = [p for p in container.demux(audio=0) if p.size]
            return [(float(p.pts * p.time_base), bytes(p)) for p in packets]

    expected, copied = sound(source), sound(tmp_path / "talk_overlay.mp4")
    assert [data for _, data in copied] == [data for _, data in expected]
    assert [when for when, _ in copied] == pytest.approx([when for when, _ in expected], abs=0.001)


def test_quiet_prints_nothing_and_verbose_a_table(streamseg, clip, model):
    """Scripts want silence, the curious want every stage."""
    assert streamseg("run", clip, "null:", "--model", model, "--quiet").out == ""
    loud = streamseg("run", clip, "null:", "--model", model, "--verbose").out
    for stage in ("read", "preprocess", "network"):
        assert stage in loud


def test_masks_and_statistics_hold_every_frame(streamseg, clip, model, tmp_path):
    """Class ids at the frame's own size, shares that sum to one, in .csv and .jsonl alike."""
    done = streamseg("run", clip, "null:", "--model", model, "--masks", "masks", "--stats", "stats.csv")
    assert done.code == 0, done.err
    names = sorted(path.name for path in (tmp_path / "masks").iterdir())
    assert names == [f"{index:06d}.png" for index in range(20)]
    mask = cv2.imread(str(tmp_path / "masks" / "000000.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (96, 128)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 1, 2}
    rows = list(csv.DictReader((tmp_path / "stats.csv").read_text().splitlines()))
    assert [int(row["index"]) for row in rows] == list(range(20))
    assert all(float(r["dark"]) + float(r["middle"]) + float(r["bright"]) == pytest.approx(1, abs=1e-3) for r in rows)
    streamseg("run", clip, "null:", "--model", model, "--stats", "stats.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(20))


def test_a_folder_of_pictures_becomes_a_folder_of_overlays(streamseg, tmp_path, model):
    """The same stems, for overlays and masks; a quoted glob chooses."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("b.png", "a.jpg", "c.png"):
        cv2.imwrite(str(folder / name), np.full((40, 60, 3), 100, np.uint8))
    done = streamseg("run", "pictures", "--model", model, "--masks", "masks")
    assert done.code == 0, done.err
    assert sorted(path.stem for path in (tmp_path / "pictures_overlay").iterdir()) == ["a", "b", "c"]
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["a.png", "b.png", "c.png"]
    done = streamseg("run", "pictures/*.png", "chosen", "--model", model)
    assert done.code == 0, done.err
    assert sorted(path.stem for path in (tmp_path / "chosen").iterdir()) == ["b", "c"]


def test_start_duration_and_frame_limit_cut_the_clip(streamseg, tmp_path, model):
    """The output begins at zero and lasts as long as asked."""
    source = write_clip(tmp_path / "long.mp4", frames=75)
    assert streamseg("run", source, "a.mp4", "--model", model, "--start", "0:01", "--duration", "1").code == 0
    times = frame_times(tmp_path / "a.mp4")
    assert len(times) == 25
    assert times[0] == pytest.approx(0, abs=0.001)
    assert streamseg("run", source, "b.mp4", "--model", model, "--max-frames", "7").code == 0
    assert len(frame_times(tmp_path / "b.mp4")) == 7


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("view", ["mask", "side", "wipe"])
def test_every_view_goes_into_every_container(streamseg, clip, model, tmp_path, suffix, view):
    """And can be read again, with all frames."""
    done = streamseg("run", clip, f"out{suffix}", "--model", model, "--view", view, "--hud", "--no-legend")
    assert done.code == 0, done.err
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 20
    assert frames[0].width == (256 if view == "side" else 128)


def test_only_chosen_classes_are_painted(streamseg, clip, model, tmp_path):
    """What is not chosen keeps its colour: a grey picture stays grey there."""
    done = streamseg("run", clip, "out.mp4", "--model", model, "--classes", "bright", "--no-legend", "--alpha", "0.8")
    assert done.code == 0, done.err
    with av.open(str(tmp_path / "out.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    dark, bright = picture[:, 4:36], picture[:, 100:124]
    assert np.abs(dark[..., 0] - dark[..., 2]).mean() < 6
    assert (bright[..., 0] - bright[..., 1]).mean() > 60


def test_opencv_can_read_the_file_instead(streamseg, clip, model, tmp_path):
    """The same frames by the other reader."""
    done = streamseg("run", clip, "out.mp4", "--model", model, "--reader", "opencv")
    assert done.code == 0, done.err
    assert frame_times(tmp_path / "out.mp4") == pytest.approx(frame_times(clip), abs=0.001)


def test_nothing_is_overwritten_unless_asked(streamseg, clip, model, tmp_path):
    """The overlay that was there is byte for byte what it was."""
    kept = tmp_path / "out.mp4"
    assert streamseg("run", clip, kept, "--model", model, "--max-frames", "5").code == 0
    before = kept.read_bytes()
    refused = streamseg("run", clip, kept, "--model", model)
    assert refused.code == 5
    assert "--overwrite" in refused.err
    assert kept.read_bytes() == before
    assert streamseg("run", clip, kept, "--model", model, "--overwrite").code == 0
    assert len(frame_times(kept)) == 20


def test_ctrl_c_finishes_the_file(model, tmp_path):
    """An interrupted run leaves a file that plays, and says that it was stopped."""

    command = [sys.executable, "-m", "streamseg", "run", "synthetic:320x180,frames=0", "out.mp4", "--model", str(model)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(
            lambda: (
                any(path.stat().st_size > 20_000 for path in tmp_path.glob("out.partial*"))
                or process.poll() is not None
            ),
            "nothing was written",
        )
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "stopped early" in err
    assert len(frame_times(tmp_path / "out.mp4")) == int(out.split(" out,")[0].split()[-1])


def an_empty_file(folder: Path) -> None:
    (folder / "empty.mp4").touch()


def a_text_file(folder: Path) -> None:
    (folder / "text.mp4").write_text("dear diary\n" * 100)


def a_song(folder: Path) -> None:
    with av.open(str(folder / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def a_truncated_clip(folder: Path) -> None:
    whole = (folder / "clip.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])


def an_empty_folder(folder: Path) -> None:
    (folder / "bare").mkdir()


def a_file_that_is_no_model(folder: Path) -> None:
    (folder / "bad.onnx").write_bytes(b"no model")


def a_model_of_another_shape(folder: Path) -> None:
    logits_model(folder / "other.onnx", 96, 96).with_suffix(".toml").write_text(
        'name = "x"\nheight = 48\nwidth = 64\n'
        'classes = [{ name = "a", color = [0, 0, 0] }, { name = "b", color = [9, 9, 9] }]\n'
        '[tensors]\nlayout = "nchw"\ninput_dtype = "float32"\noutput = "logits"\n'
    )


def nothing(folder: Path) -> None:
    """The fault is in the arguments alone."""


@pytest.mark.parametrize(
    ("arguments", "prepare", "code", "said"),
    [
        ("nowhere.mp4", nothing, 3, "nowhere.mp4"),
        ("empty.mp4", an_empty_file, 3, "empty"),
        ("text.mp4", a_text_file, 3, "text.mp4"),
        ("song.mp4", a_song, 3, "video"),
        ("cut.mp4", a_truncated_clip, 3, "cut"),
        ("bare", an_empty_folder, 3, "picture"),
        ("clip.mp4 /proc/out.mp4", nothing, 5, "/proc"),
        ("clip.mp4 ./clip.mp4 --overwrite", nothing, 5, "is the source itself"),
        ("clip.mp4 out.mp4 --model bad.onnx", a_file_that_is_no_model, 4, "bad.onnx"),
        ("clip.mp4 out.mp4 --model other.onnx", a_model_of_another_shape, 4, "96x96"),
        ("clip.mp4 out.mp4 --classes raod", nothing, 2, "no class 'raod'; choose from: dark, middle, bright"),
    ],
)
def test_bad_input_is_one_line_and_its_exit_code(streamseg, clip, model, tmp_path, arguments, prepare, code, said):
    """No traceback, no library's chatter, no half file, and what was there before is untouched."""
    prepare(tmp_path)
    words = arguments.split()
    if "--model" not in words:
        words += ["--model", str(model)]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = streamseg("run", *words)
    assert done.code == code, done
    assert done.out == ""
    assert done.err.startswith("streamseg: ")
    assert done.err.count("\n") == 1, done.err
    assert said in done.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_full_disk_is_one_line_that_says_what_is_kept(streamseg, model, tmp_path):
    """A real file system of a hundred kilobytes."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(small)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        source = "synthetic:640x360,frames=60"
        done = streamseg("run", source, small / "out.mp4", "--model", model)
        assert done.code == 5, done
        assert "no space left" in done.err
        assert done.err.count("\n") == 1, done.err
        left = [each.name for each in small.iterdir()]
        assert left in ([], ["out.partial.mp4"])  # the first fragment may have been too large already
        assert done.err.endswith(f"kept with what was written by then: {small / 'out.partial.mp4'}\n") == bool(left)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_that_breaks_off_keeps_what_could_be_read(streamseg, tmp_path, model):
    """The overlay has every frame up to the break, the closing line counts them, and the exit code says damage."""
    with av.open(str(tmp_path / "stream.mkv"), "w") as container:
        video = container.add_stream("libx264", rate=Fraction(25), options={"preset": "ultrafast", "g": "10"})
        video.width, video.height, video.pix_fmt = 128, 96, "yuv420p"
        for index in range(100):
            picture = np.random.default_rng(index).integers(0, 255, (96, 128, 3), np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode(None))
    whole = (tmp_path / "stream.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    done = streamseg("run", "cut.mkv", "out.mp4", "--model", model)
    assert done.code == 3, done
    assert "cut.mkv" in done.err
    frames = len(frame_times(tmp_path / "out.mp4"))
    assert 30 <= frames <= 60
    assert f"{frames} out" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument 'SOURCE'"),
        (["run", "clip.mp4", "--alpha", "2"], "--alpha"),
        (["run", "clip.mp4", "--view", "heat"], "'overlay', 'mask', 'side', 'wipe'"),
        (["run", "clip.mp4", "--start", "soon"], "'soon' is not a time"),
        (["run", "clip.mp4", "--ovrwrite"], "--overwrite"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_usage_errors_are_one_line_with_code_2(streamseg, clip, arguments, said):
    """And point to the help."""
    done = streamseg(*arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "--help" in done.err


def test_masks_cannot_go_where_the_overlay_goes(streamseg, clip, model):
    """Two outputs in one place would lose one of them."""
    done = streamseg("run", clip, "same/", "--frames", "--masks", "same", "--model", model)
    assert done.code == 5
    assert "its own place" in done.err


def test_overlays_are_never_written_among_the_source_pictures(streamseg, tmp_path, model):
    """A picture folder as its own output would replace the originals."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.full((40, 60, 3), 100, np.uint8))
    for source in ("pictures", "pictures/*.png"):
        done = streamseg("run", source, "pictures", "--model", model, "--overwrite")
        assert done.code == 5
        assert "is the source itself" in done.err
    assert (cv2.imread(str(folder / "a.png")) == 100).all()


def test_a_live_source_without_display_asks_for_an_output(streamseg, model, monkeypatch):
    """OpenCV would abort the whole process."""
    if sys.platform != "linux":
        pytest.skip("other systems always have a display")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = streamseg("run", "synthetic:", "window:", "--model", model)
    assert done.code in (2, 5)
    assert "display" in done.err
    assert done.err.count("\n") == 1


def test_output_to_a_closed_pipe_is_no_error(clip, model, tmp_path):
    """`streamseg info | head -1` must not print a traceback."""
    command = f"{sys.executable} -m streamseg info {model} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=os.environ, check=False)
    assert "Traceback" not in done.stderr


def test_a_note_names_the_flag_that_helps(streamseg, model, tmp_path):
    """Motion JPEG without a container says no rate; what the library calls `fps` is a flag here."""
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    (tmp_path / "raw.mjpeg").write_bytes(3 * picture)
    done = streamseg("run", "raw.mjpeg", "null:", "--model", model)
    assert done.code == 0, done.err
    assert "tell it with --fps" in done.err


def test_a_source_that_is_a_new_line_of_the_table_gives_its_output_its_own_name(tmp_path, model, monkeypatch):
    """Not that of the built-in scene, whose kind it has."""

    def open_noise(address, **options):
        return open_synthetic(address.replace("noise:", "synthetic:"), **options)

    kind = replace(sources._KINDS[0], fits=lambda address, _: address.startswith("noise:"), opener="noise:open_noise")
    monkeypatch.setattr(sources, "_KINDS", (kind, *sources._KINDS))
    monkeypatch.setitem(sys.modules, "streamseg.sources.noise", SimpleNamespace(open_noise=open_noise))
    monkeypatch.chdir(tmp_path)
    assert main(["run", "noise:96x64,frames=2", "--model", str(model), "--quiet"]) == 0
    assert (tmp_path / "noise_overlay.mp4").exists()

"""The compiled frame path gives what its twin in NumPy and OpenCV gives, and is not needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from streamseg import native
from streamseg.color import bgr_to_yuv420
from streamseg.frame import Frame
from streamseg.kernels import upsampled_argmax
from streamseg.painting import Painter
from streamseg.pixels import Yuv420, YuvColor
from streamseg.preprocess import network_input
from streamseg.segmentation import Segmentation
from streamseg.spec import Clahe, ModelSpec, SegmentClass

CLASSES = tuple(
    SegmentClass(place, name, color)
    for place, (name, color) in enumerate([("road", (240, 60, 160)), ("sky", (20, 200, 255)), ("car", (0, 0, 0))])
)

needs_library = pytest.mark.skipif(native.LIBRARY is None, reason="the frame path is not compiled: no C compiler here")


def with_and_without(monkeypatch: pytest.MonkeyPatch, made: Callable[[], Any]) -> tuple[Any, Any]:
    """What something gives with the library, and then without."""
    compiled = made()
    monkeypatch.setattr(native, "LIBRARY", None)
    return compiled, made()


def street(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8 with fine and coarse structure, dark and light."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    coarse = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 11), None, 0, 220, cv2.NORM_MINMAX)
    return np.clip(coarse + 12 * noise, 0, 255).astype(np.uint8)


def patches_of_classes(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(height, width) uint8 labels in areas, with single pixels among them."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(len(CLASSES), height, width)).astype(np.float32)
    labels = np.stack([cv2.GaussianBlur(each, (0, 0), 5) for each in noise]).argmax(0).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.02] = 1
    return labels


def levels_apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Absolute differences."""
    assert first.shape == second.shape
    return np.abs(first.astype(int) - second)


def test_where_there_is_a_compiler_the_frame_path_is_compiled():
    """Installing the checkout has made the library, and it is in use."""
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("no C compiler on this machine")
    assert native.LIBRARY is not None


@needs_library
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (9, 13), (72, 128)])
@pytest.mark.parametrize("factor", [2, 4, 6, 16])
def test_labels_are_the_same(size: tuple[int, int], factor: int, monkeypatch: pytest.MonkeyPatch):
    """But for ties that rounding decides."""
    noise = np.random.default_rng(1).normal(size=(7, *size)).astype(np.float32)
    logits = np.stack([cv2.GaussianBlur(each, (0, 0), 2) for each in noise])
    compiled, plain = with_and_without(monkeypatch, lambda: upsampled_argmax(logits, factor))
    assert compiled.shape == plain.shape == (size[0] * factor, size[1] * factor)
    assert np.mean(compiled == plain) > 0.9999


@needs_library
def test_a_factor_that_the_library_does_not_take_is_enlarged_all_the_same():
    """Larger than it has room for."""
    logits = np.zeros((3, 2, 3), np.float32)
    logits[1, :, :2] = 1
    labels = upsampled_argmax(logits, 32)
    assert labels.shape == (64, 96)
    assert labels[0, 0] == 1
    assert labels[-1, -1] == 0


@needs_library
@pytest.mark.parametrize("tiles", [(8, 8), (1, 1), (4, 16), (7, 8)], ids=str)
@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_the_networks_input_is_the_same(tiles: tuple[int, int], order: str, monkeypatch: pytest.MonkeyPatch):
    """Within a grey level, in nearly all pixels exactly; tiles that do not divide the picture included."""
    spec = ModelSpec("m", 288, 512, CLASSES, channel_order=order)
    frame = Frame(0, 0.0, bgr_to_yuv420(street(360, 640)))
    compiled, plain = with_and_without(monkeypatch, lambda: network_input(frame, spec, Clahe(3.0, tiles)))
    apart = levels_apart(compiled, plain)
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 0.03


@needs_library
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [True, False])
def test_every_kind_of_yuv_gives_the_same_input(matrix: Any, full_range: bool, monkeypatch: pytest.MonkeyPatch):
    """Whatever a decoder hands out, colours that RGB does not have too."""
    rng = np.random.default_rng(2)
    y, u, v = (rng.integers(0, 256, size, np.uint8) for size in ((144, 256), (72, 128), (72, 128)))
    frame = Frame(0, 0.0, Yuv420(y, u, v, YuvColor(matrix, full_range)))
    spec = ModelSpec("m", 144, 256, CLASSES)
    compiled, plain = with_and_without(monkeypatch, lambda: network_input(frame, spec, Clahe()))
    apart = levels_apart(compiled, plain)
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 0.03


@needs_library
def test_planes_with_gaps_between_their_rows_are_read_right(monkeypatch: pytest.MonkeyPatch):
    """As decoders have them, and of the network's own size, so that nothing is resized first."""
    rng = np.random.default_rng(4)
    y, u, v = (rng.integers(0, 256, (144, 320), np.uint8)[:, :256] for _ in range(3))
    frame = Frame(0, 0.0, Yuv420(y, u[:72, :128], v[:72, :128], YuvColor()))
    spec = ModelSpec("m", 144, 256, CLASSES)
    compiled, plain = with_and_without(monkeypatch, lambda: network_input(frame, spec, Clahe()))
    assert levels_apart(compiled, plain).max() <= 1


@needs_library
@pytest.mark.parametrize("size", [(360, 640), (121, 161), (36, 50), (7, 5)], ids=str)
@pytest.mark.parametrize("view", ["overlay", "side", "wipe", "mask"])
@pytest.mark.parametrize("selected", [None, ["road"]], ids=["all", "road"])
def test_the_overlay_is_the_same(size, view, selected, monkeypatch: pytest.MonkeyPatch):
    """Within two grey levels, larger and smaller than the labels, in every view, of all classes and of some."""
    planes = bgr_to_yuv420(street(*size))
    segmentation = Segmentation(Frame(0, 0.0, planes), patches_of_classes(72, 128), CLASSES)
    painter = Painter(CLASSES, view=view, selected=selected, alpha=0.37)
    compiled, plain = with_and_without(monkeypatch, lambda: painter.planes(segmentation))
    for plane in ("y", "u", "v"):
        apart = levels_apart(getattr(compiled, plane), getattr(plain, plane))
        assert apart.max() <= 2
        assert apart.mean() < 0.5


@needs_library
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_the_ends_of_strength_are_exact(alpha: float):
    """0 leaves every pixel as it was, 1 nothing of the picture."""
    planes = bgr_to_yuv420(street(90, 160))
    labels = np.full((36, 64), 1, np.uint8)
    painted = Painter(CLASSES, alpha=alpha, legend=False).planes(Segmentation(Frame(0, 0.0, planes), labels, CLASSES))
    if alpha == 0.0:
        assert np.array_equal(painted.y, planes.y)
        assert np.array_equal(painted.u, planes.u)
    else:
        assert len(np.unique(painted.y)) == len(np.unique(painted.u)) == 1


def luma_of(path: Path) -> list[np.ndarray]:
    """Of every frame of a video."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]


@pytest.mark.slow
def test_streamseg_runs_without_the_library(tmp_path: Path):
    """STREAMSEG_NATIVE=0 is slower and shows the same overlay: PSNR of at least 38 dB in every frame."""
    outputs = []
    for wanted in ("1", "0"):
        target = tmp_path / f"{wanted}.mp4"
        command = [sys.executable, "-m", "streamseg", "run", "synthetic:640x360,frames=5", str(target)]
        subprocess.run(command, env={**os.environ, "STREAMSEG_NATIVE": wanted}, check=True, capture_output=True)
        outputs.append(luma_of(target))
    assert len(outputs[0]) == len(outputs[1]) == 5
    for compiled, plain in zip(*outputs, strict=True):
        assert 10 * np.log10(255**2 / max(np.mean((compiled - plain) ** 2), 1e-9)) >= 38


@pytest.mark.slow
def test_doctor_says_whether_it_is_in_use(streamseg):
    """With the reason when it is not."""
    assert "compiled code" in streamseg("doctor").out
    done = subprocess.run(
        [sys.executable, "-m", "streamseg", "doctor"],
        env={**os.environ, "STREAMSEG_NATIVE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "not in use: STREAMSEG_NATIVE is 0" in done.stdout

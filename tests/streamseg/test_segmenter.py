"""Frames, arrays and files to labels, with or without CLAHE as the controls say."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from streamseg.backends import load_backend
from streamseg.controls import Controls
from streamseg.errors import SourceError, UsageError
from streamseg.frame import Frame
from streamseg.segmenter import Segmenter


def test_clahe_follows_the_controls_from_frame_to_frame(model: Path):
    """A dark ramp gets brighter classes as soon as contrast is equalised, and loses them again."""
    controls = Controls()
    segment = Segmenter(load_backend(model, "cpu"), controls=controls)
    ramp = np.repeat(np.repeat(np.linspace(40, 84, 64).astype(np.uint8)[None, :, None], 48, 0), 3, 2)
    frame = Frame(0, 0.0, ramp)
    assert segment(frame).labels.max() == 0
    controls.change(clahe=True)
    assert segment(frame).labels.max() > 0
    controls.change(clahe=False)
    assert segment(frame).labels.max() == 0


@pytest.fixture
def segment(model: Path) -> Segmenter:
    """With the small model: dark, middle, bright."""
    return Segmenter(load_backend(model, "cpu"))


def half_bright(height: int = 90, width: int = 160) -> np.ndarray:
    """Black left, white right."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, width // 2 :] = 255
    return picture


def test_an_array_is_a_picture(segment: Segmenter):
    """As OpenCV has it, mirrored views included; the frame of the result holds it."""
    picture = half_bright()
    result = segment(picture)
    assert result.frame.bgr() is picture
    assert result.mask("bright").sum() == picture[:, :, 0].size / 2
    assert np.array_equal(segment(picture[:, ::-1]).labels, result.labels[:, ::-1])


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_the_picture_in_the_file(segment: Segmenter, tmp_path: Path, kind: type):
    """Named as the file is, brackets included."""
    path = tmp_path / "half [1].png"  # which is a pattern, too, and as one means "half 1.png"
    cv2.imwrite(str(path), half_bright())
    result = segment(kind(path))
    assert result.frame.name == "half [1]"
    assert np.array_equal(result.labels, segment(half_bright()).labels)


@pytest.mark.parametrize(
    ("picture", "error", "said"),
    [
        (np.zeros((9, 9), np.uint8), ValueError, r"\(height, width, 3\) uint8 .*, got \(9, 9\) uint8"),
        (np.zeros((9, 9, 3)), TypeError, r"got \(9, 9, 3\) float64"),
        ([[0]], TypeError, "got list"),
        (None, TypeError, "got NoneType"),
        ("nowhere.png", SourceError, r"'nowhere\.png' does not exist; give an array or a file that ends in \.jpg"),
        ("", SourceError, "'' does not exist"),
        ("a" * 5000 + ".png", SourceError, r"cannot be read \("),  # longer than any file system allows
        (".", SourceError, r"is a folder.* open_source reads videos, cameras and folders"),
    ],
)
def test_what_is_no_picture_is_refused(segment: Segmenter, picture, error, said):
    """With what was expected and what came."""
    with pytest.raises(error, match=said):
        segment(picture)


def test_files_that_are_no_pictures_are_refused(segment: Segmenter, clip: Path, tmp_path: Path):
    """A video, and a picture cut off."""
    with pytest.raises(SourceError, match=r"clip\.mp4' is no picture; .* open_source reads videos"):
        segment(clip)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG")
    with pytest.raises(SourceError, match=r"broken\.png' can be read"):
        segment(broken)


def test_a_backend_of_ones_own_that_gives_other_labels_is_refused(segment: Segmenter):
    """As NumPy's argmax has them."""
    segment.backend = SimpleNamespace(spec=segment.backend.spec, infer=lambda batch: batch[..., 0].astype(np.int64))
    with pytest.raises(TypeError, match=r"labels must be \(height, width\) uint8 .* got \(48, 64\) int64"):
        segment(half_bright())


@pytest.mark.parametrize("mode", [True, "yes", None])
def test_a_mode_of_clahe_that_there_is_not_is_refused(segment: Segmenter, mode):
    """In place of being taken for "off"."""
    with pytest.raises(UsageError, match=f"`clahe` must be one of on, off, auto, got {mode!r}"):
        Segmenter(segment.backend, mode)

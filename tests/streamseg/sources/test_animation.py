"""Animated WebP and PNG: every picture, at the time at which it is shown."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg import SourceError, open_source
from streamseg.sources.image_folder import ImageFolderSource

LENGTHS_MS = [40, 100, 60, 200, 100] * 8  # more than are decoded at a time


def animation(path: Path, lengths_ms: list[int] | None = None, channels: int = 3) -> Path:
    """Pictures of growing brightness, each shown for so many milliseconds."""
    lengths = LENGTHS_MS if lengths_ms is None else lengths_ms
    made = cv2.Animation()
    made.frames = [np.full((48, 64, channels), 20 + 4 * index, np.uint8) for index in range(len(lengths))]
    made.durations = np.array(lengths, np.int32)
    assert cv2.imwriteanimation(str(path), made, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return path


@pytest.mark.parametrize("name", ["clip.webp", "clip.png"])
def test_every_picture_comes_at_its_time(tmp_path: Path, name: str) -> None:
    """Not the first alone; a file of its kind, so that its overlay is a video."""
    with open_source(str(animation(tmp_path / name))) as source:
        assert source.info.kind == "video"
        assert source.info.size == (48, 64)
        frames = list(source)
        assert source.read() is None
        assert source.damage is None
    assert [frame.pts for frame in frames] == [0, *np.cumsum(LENGTHS_MS)[:-1]]
    assert [frame.time_s for frame in frames] == [frame.pts / 1000 for frame in frames]
    brightness = [float(frame.bgr().mean()) for frame in frames]
    assert brightness == pytest.approx([20 + 4 * index for index in range(len(frames))], abs=1)


@pytest.mark.parametrize("name", ["clip.webp", "clip.png"])
def test_start_gives_the_pictures_from_that_time_on(tmp_path: Path, name: str) -> None:
    """Also beyond those that are decoded first; after the end there is nothing, in one line."""
    path = animation(tmp_path / name)
    begins = [0, *(int(each) for each in np.cumsum(LENGTHS_MS)[:-1])]
    for start_s in (0.04, 1.0, 2.5):
        with open_source(str(path), start_s=start_s) as source:
            assert [frame.pts for frame in source] == [each for each in begins if each >= 1000 * start_s]
    with pytest.raises(SourceError, match=r"lasts 4\.00 s, so there is nothing from 9 s on"):
        open_source(str(path), start_s=9)


def test_pictures_without_a_length_are_shown_as_browsers_show_them(tmp_path: Path) -> None:
    """A tenth of a second."""
    with open_source(str(animation(tmp_path / "clip.webp", [0, 0, 0]))) as source:
        assert [frame.pts for frame in source] == [0, 100, 200]


def test_transparency_is_left_out(tmp_path: Path) -> None:
    """Frames have three channels."""
    with open_source(str(animation(tmp_path / "clip.png", [100, 100], channels=4))) as source:
        assert [frame.bgr().shape for frame in source] == [(48, 64, 3)] * 2


@pytest.mark.parametrize("name", ["still.webp", "still.png"])
def test_a_picture_that_does_not_move_is_a_picture(tmp_path: Path, name: str) -> None:
    """As before."""
    cv2.imwrite(str(tmp_path / name), np.full((48, 64, 3), 90, np.uint8))
    with open_source(str(tmp_path / name)) as source:
        assert type(source) is ImageFolderSource
        assert len(list(source)) == 1


def test_an_animation_among_pictures_gives_its_first_one_and_says_so(tmp_path: Path) -> None:
    """A folder has one result for each file."""
    animation(tmp_path / "a.webp")
    cv2.imwrite(str(tmp_path / "b.png"), np.full((48, 64, 3), 90, np.uint8))
    with open_source(str(tmp_path)) as source:
        assert [frame.name for frame in source] == ["a", "b"]
        assert source.notes == ["'a.webp' moves, its first picture is taken; for all, name the file alone"]


@pytest.mark.parametrize("name", ["clip.webp", "clip.png"])
def test_a_cut_off_animation_never_ends_in_a_traceback(tmp_path: Path, name: str) -> None:
    """The pictures in front of the cut, or one line."""
    path = animation(tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        with open_source(str(path)) as source:
            assert len(list(source)) < len(LENGTHS_MS)
            assert source.damage is not None
    except SourceError as error:
        assert name in str(error)


def test_the_overlay_of_an_animation_is_a_video(streamseg, tmp_path, model):
    """With as many pictures, at their times."""
    path = animation(tmp_path / "clip.webp", [100, 300, 200])
    done = streamseg("run", path, "--model", model)
    assert done.code == 0, done.err
    with open_source(str(tmp_path / "clip_overlay.mp4")) as written:
        assert [round(frame.time_s, 3) for frame in written] == [0, 0.1, 0.4]

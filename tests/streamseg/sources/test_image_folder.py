"""Pictures from a folder or a glob."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from streamseg import SourceError, open_source


def save(path: Path, picture: np.ndarray | None = None) -> Path:
    """Write (h, w[, c]) uint8 or uint16 in the format of the suffix, under any name."""
    picture = np.full((12, 16, 3), 90, np.uint8) if picture is None else picture
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), picture)[1].tobytes())
    return path


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    """img2 comes before img10, and letters' case does not matter."""
    for name in ("img10.png", "img2.png", "IMG1.png", "img2b.png", "other.png"):
        save(tmp_path / name)
    with open_source(str(tmp_path)) as source:
        assert source.info.frame_count == 5
        frames = list(source)
    assert [frame.name for frame in frames] == ["IMG1", "img2", "img2b", "img10", "other"]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_every_suffix_is_found_in_any_case_and_others_are_left(tmp_path: Path) -> None:
    """jpg, jpeg, png, bmp, tif, tiff and webp; notes and videos beside them do not matter."""
    for number, suffix in enumerate(("jpg", "JPEG", "png", "BMP", "tif", "tiff", "webp")):
        save(tmp_path / f"{number}.{suffix}")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "folder.png").mkdir()
    with open_source(str(tmp_path)) as source:
        assert [frame.name for frame in source] == [str(k) for k in range(7)]
        assert source.info.kind == "pictures"


def test_glob_chooses_and_looks_into_folders(tmp_path: Path) -> None:
    """`**` is any depth."""
    for name in ("a.png", "b.jpg", "x/c.png", "x/y/d.png"):
        save(tmp_path / name)
    for pattern, expected in {
        "*.png": ["a"],
        "**/*.png": ["a", "c", "d"],
        "[ab].*": ["a", "b"],
        "x/?.png": ["c"],
    }.items():
        with open_source(str(tmp_path / pattern)) as source:
            assert [frame.name for frame in source] == expected, pattern


def test_all_kinds_of_pixels_become_bgr(tmp_path: Path) -> None:
    """Grey, 16 bits and transparency."""
    save(tmp_path / "a.png", np.full((8, 9), 77, np.uint8))
    save(tmp_path / "b.png", np.full((8, 9, 3), 77 * 257, np.uint16))
    save(tmp_path / "c.png", np.full((8, 9, 4), 77, np.uint8))
    save(tmp_path / "d.tif", np.full((8, 9), 77 * 257, np.uint16))
    with open_source(str(tmp_path)) as source:
        for frame in source:
            assert frame.bgr().dtype == np.uint8
            assert frame.bgr().shape == (8, 9, 3)
            assert frame.bgr()[0, 0].tolist() == [77, 77, 77]


def test_camera_orientation_is_followed(tmp_path: Path) -> None:
    """A phone's upright photograph is stored lying down, with a tag."""
    stored = np.zeros((10, 20, 3), np.uint8)
    stored[:, :10] = 255
    picture = Image.fromarray(stored)
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    picture.save(tmp_path / "phone.jpg", exif=exif, quality=95)
    with open_source(str(tmp_path / "phone.jpg")) as source:
        frame = source.read()
        assert frame is not None
        assert source.info.size == frame.size == (20, 10)
    assert frame.bgr()[2, 5].min() > 250
    assert frame.bgr()[17, 5].max() < 5


def test_names_need_not_be_ascii(tmp_path: Path) -> None:
    """Neither folders nor files."""
    save(tmp_path / "Straße 道路" / "früh.png")
    with open_source(str(tmp_path / "Straße 道路")) as source:
        assert [frame.name for frame in source] == ["früh"]


def test_unreadable_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    """The others are read, and `damage` says which were not."""
    save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    (tmp_path / "c.png").write_bytes(b"")
    save(tmp_path / "d.png")
    with open_source(str(tmp_path)) as source:
        frames = list(source)
        assert [(frame.index, frame.name) for frame in frames] == [(0, "a"), (1, "d")]
        assert source.damage == "2 pictures could not be read: 'b.png', 'c.png'"


def test_cut_off_jpeg_is_said(tmp_path: Path) -> None:
    """A picture whose file is cut off is not passed for whole."""
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path = save(tmp_path / "a.jpg", picture)
    path.write_bytes(path.read_bytes()[:1500])
    save(tmp_path / "b.jpg", picture)
    with open_source(str(tmp_path)) as source:
        frames = list(source)
        assert [frame.name for frame in frames if not frame.damaged] == ["b"]
        assert any(frame.damaged for frame in frames) or source.damage


def test_equal_stems_are_refused(tmp_path: Path) -> None:
    """Results are named by stem: one would overwrite the other."""
    save(tmp_path / "a.png")
    save(tmp_path / "a.jpg")
    with pytest.raises(SourceError, match=r"a\.(jpg|png).*same stem"):
        open_source(str(tmp_path))
    with open_source(str(tmp_path / "*.png")) as source:
        assert len(list(source)) == 1


def test_without_pictures_the_suffixes_are_named(tmp_path: Path) -> None:
    """An empty folder, a glob that matches nothing, and only broken pictures."""
    with pytest.raises(SourceError, match=r"folder '.*' holds no pictures; looked for \.jpg, .*\.webp"):
        open_source(str(tmp_path))
    with pytest.raises(SourceError, match="matches no pictures"):
        open_source(str(tmp_path / "*.png"))
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"no picture .* can be read .*'b\.png'"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("pattern", ["", "*", "**/*.png"])
def test_what_macos_leaves_beside_pictures_is_passed_over(tmp_path: Path, pattern: str) -> None:
    """`._` files of attributes are no pictures and no damage; a picture that has such a name is one."""
    picture = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    for name in ("a.png", "b.png", "._c.png"):
        (tmp_path / name).write_bytes(picture)
    for name in ("._a.png", "._b.png"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X".ljust(4096, b"\0"))
    address = tmp_path / pattern if pattern == "" else f"{tmp_path}/{pattern}"
    with open_source(str(address)) as source:
        # A glob leaves out names with a dot in front, as shells do.
        assert [frame.name for frame in source] == (["._c", "a", "b"] if pattern == "" else ["a", "b"])
        assert source.damage is None

"""Folders of overlay pictures and masks."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg.errors import SinkError
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks import MaskFolderSink, PictureFolderSink, Sink, open_sink
from tests.streamseg.sinks.recordings import CLASSES, info_of, result, unpainted

FOLDERS: dict[str, Callable[..., Sink]] = {
    "pictures": lambda folder, overwrite=False: PictureFolderSink(folder, info_of(), unpainted(), overwrite=overwrite),
    "masks": lambda folder, overwrite=False: MaskFolderSink(folder, overwrite=overwrite),
}


def picture(seed: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """Noise in BGR."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def write(sink: Sink, *results: Segmentation, outcome: str = "complete") -> None:
    """Write all and close."""
    for each in results:
        sink.write(each)
    sink.close(outcome)


@pytest.mark.parametrize("kind", FOLDERS)
def test_frames_of_a_video_are_numbered_by_index(tmp_path: Path, kind: str) -> None:
    """Gaps where frames were dropped stay gaps."""
    write(FOLDERS[kind](tmp_path), *(result(index, index) for index in (0, 1, 7)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "000001.png", "000007.png"]


@pytest.mark.parametrize("kind", FOLDERS)
def test_pictures_keep_their_stems(tmp_path: Path, kind: str) -> None:
    """Results can be matched with their sources by name."""
    names = ["crossing", "IMG 0001", "a.b", "ünï"]
    write(FOLDERS[kind](tmp_path), *(result(index, name=name) for index, name in enumerate(names)))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.png" for name in names)


@pytest.mark.parametrize("size", [(48, 64), (47, 63), (720, 1280)])
def test_masks_are_the_class_ids_at_the_frames_own_size(tmp_path: Path, size: tuple[int, int]) -> None:
    """8-bit, one channel, lossless: every pixel is the id of its class, nothing in between."""
    one = result(0, pixels=picture(0, size), name="one")
    write(MaskFolderSink(tmp_path), one)
    mask = cv2.imread(str(tmp_path / "one.png"), cv2.IMREAD_UNCHANGED)
    assert mask.dtype == np.uint8
    assert mask.shape == size
    assert np.array_equal(mask, one.labels_at(size))
    assert set(np.unique(mask)) == {0, 1}


def test_all_256_ids_survive(tmp_path: Path) -> None:
    """Foreign models may have many classes."""
    frame = result(0, pixels=picture(0, (256, 256))).frame
    labels = np.arange(256, dtype=np.uint8)[None].repeat(256, 0)
    write(MaskFolderSink(tmp_path), Segmentation(frame, labels, CLASSES))
    assert np.array_equal(cv2.imread(str(tmp_path / "000000.png"), cv2.IMREAD_UNCHANGED), labels)


def test_overlay_pictures_are_the_painters_to_the_pixel(tmp_path: Path) -> None:
    """Where nothing is painted, the source's own pixels are there."""
    painter = Painter(CLASSES, selected=["road"], legend=False)
    one = result(0, pixels=picture(3), name="one")
    write(PictureFolderSink(tmp_path, info_of(), painter), one)
    written = cv2.imread(str(tmp_path / "one.png"))
    assert np.array_equal(written, painter.bgr(one))
    assert np.array_equal(written[:20], one.frame.bgr()[:20])


def test_pictures_may_differ_in_size(tmp_path: Path) -> None:
    """A folder of pictures is no video."""
    write(PictureFolderSink(tmp_path, info_of(), unpainted()), result(0), result(1, size=(20, 30)))
    assert cv2.imread(str(tmp_path / "000001.png")).shape == (20, 30, 3)


@pytest.mark.parametrize("kind", FOLDERS)
def test_missing_folder_is_made(tmp_path: Path, kind: str) -> None:
    """With its parents: a folder is asked for in so many words."""
    folder = tmp_path / "a" / "b"
    sink = FOLDERS[kind](folder)
    write(sink, result(0))
    assert (folder / "000000.png").exists()
    assert sink.place == str(folder)


@pytest.mark.parametrize("kind", FOLDERS)
def test_existing_picture_is_kept_unless_told_otherwise(tmp_path: Path, kind: str) -> None:
    """Nothing is replaced silently; other files in the folder are nobody's business."""
    write(FOLDERS[kind](tmp_path), result(1))
    before = (tmp_path / "000001.png").read_bytes()
    (tmp_path / "notes.txt").write_text("mine")
    sink = FOLDERS[kind](tmp_path)
    sink.write(result(0))
    with pytest.raises(SinkError, match=r"000001.png' already exists; choose another name or add `overwrite=True`"):
        sink.write(result(1, pixels=picture(7, (20, 30))))
    sink.close("failed")
    assert (tmp_path / "000001.png").read_bytes() == before
    write(FOLDERS[kind](tmp_path, overwrite=True), result(0), result(1, pixels=picture(7, (20, 30))))
    assert cv2.imread(str(tmp_path / "000001.png")).shape[:2] == (20, 30)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", FOLDERS)
def test_a_picture_that_streamseg_did_not_write_is_never_replaced(tmp_path: Path, kind: str, overwrite: bool) -> None:
    """A folder of photographs named by mistake keeps every one."""
    cv2.imwrite(str(tmp_path / "000001.png"), picture(0))
    before = (tmp_path / "000001.png").read_bytes()
    sink = FOLDERS[kind](tmp_path, overwrite=overwrite)
    with pytest.raises(SinkError, match=r"000001.png' already exists and was not written by streamseg"):
        sink.write(result(1))
    sink.close("failed")
    assert (tmp_path / "000001.png").read_bytes() == before


def open_pictures(path: Path, frames: int | None = None, *, overwrite: bool = False) -> Sink:
    """What a name of a picture opens, of a source with so many frames; None where it does not say."""
    return open_sink(str(path), info_of(frame_count=frames), unpainted(), overwrite=overwrite)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("%06d.png", ["000000.png", "000007.png"]),
        ("frame_%03d_road.jpg", ["frame_000_road.jpg", "frame_007_road.jpg"]),
        ("%d.JPEG", ["0.JPEG", "7.JPEG"]),
    ],
)
def test_numbered_pictures_are_asked_for_by_a_pattern(tmp_path: Path, pattern: str, names: list[str]) -> None:
    """As printf has it, by the frame's index; also where pictures have names of their own."""
    sink = open_pictures(tmp_path / "made" / pattern)
    write(sink, result(0, name="a"), result(7, name="b"))
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == names
    assert all(cv2.imread(str(path)).shape == (48, 64, 3) for path in (tmp_path / "made").iterdir())
    assert sink.place == str(tmp_path / "made" / pattern)


@pytest.mark.parametrize("pattern", ["%s.png", "%d_%d.png", "100%.jpg"])
def test_a_pattern_without_one_counter_is_refused(tmp_path: Path, pattern: str) -> None:
    """The message has one that is right."""
    with pytest.raises(SinkError, match=r"numbered pictures need one counter, such as %06d.png"):
        open_pictures(tmp_path / pattern)


@pytest.mark.parametrize("name", ["out.png", "out.jpg"])
def test_one_frame_is_one_picture(tmp_path: Path, name: str) -> None:
    """The name is that of a picture, so that is what is written."""
    sink = open_pictures(tmp_path / name, 1)
    write(sink, result(0))
    assert sink.place == str(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert cv2.imread(str(tmp_path / name)).shape == (48, 64, 3)
    with pytest.raises(SinkError, match="already exists; choose another name or add `overwrite=True`"):
        open_pictures(tmp_path / name, 1)
    write(open_pictures(tmp_path / name, 1, overwrite=True), result(0))


def test_many_frames_do_not_go_into_one_picture(tmp_path: Path) -> None:
    """Said before the first frame where the source tells how many it has, else at the second; nothing is left."""
    said = r"out.png': it is one picture, and the source has more; write '.*out_%06d.png' for all of them"
    with pytest.raises(SinkError, match=said):
        open_pictures(tmp_path / "out.png", 2)
    sink = open_pictures(tmp_path / "out.png")
    sink.write(result(0))
    with pytest.raises(SinkError, match=said):
        sink.write(result(1))
    sink.close("failed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", FOLDERS)
def test_two_pictures_of_one_stem_do_not_replace_each_other(tmp_path: Path, kind: str, overwrite: bool) -> None:
    """a.jpg and a.png would both become a.png; that is an error, also when overwriting older results."""
    sink = FOLDERS[kind](tmp_path, overwrite=overwrite)
    sink.write(result(0, name="a"))
    with pytest.raises(SinkError, match=r"two source pictures are called 'a'; rename one"):
        sink.write(result(1, name="a"))


@pytest.mark.parametrize("kind", FOLDERS)
def test_file_in_place_of_the_folder_is_refused(tmp_path: Path, kind: str) -> None:
    """The message says what it is."""
    path = tmp_path / "results"
    path.write_text("no folder")
    with pytest.raises(SinkError, match=r"results' is a file; name a folder"):
        FOLDERS[kind](path)


@pytest.mark.parametrize("outcome", ["cut", "broken", "failed"])
@pytest.mark.parametrize("kind", FOLDERS)
def test_pictures_written_before_the_end_stay(tmp_path: Path, kind: str, outcome: str) -> None:
    """Each is complete in itself, however the run ended."""
    write(FOLDERS[kind](tmp_path), result(0), result(1), outcome=outcome)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "000001.png"]

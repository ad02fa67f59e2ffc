"""Data sets: what their files mean, and one line that names the file where something is wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.spec import SegmentClass
from train.classes import CAMVID_CLASSES
from train.datasets import DATASETS, VOID, open_dataset

CLASS_IDS = {each.name: each.id for each in CAMVID_CLASSES}
PICTURE = np.full((24, 32, 3), 90, np.uint8)


def write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def index_mask(*values: int) -> np.ndarray:
    """A mask 24 x 32 with one column band a value."""
    return np.repeat(np.array(values, np.uint8), 32 // len(values))[None].repeat(24, 0)


def color_mask(*rgb: int) -> np.ndarray:
    """The same in colours, BGR as OpenCV writes them."""
    bands = [((c & 255), (c >> 8) & 255, c >> 16) for c in rgb]
    return np.repeat(np.array(bands, np.uint8), 32 // len(rgb), 0)[None].repeat(24, 0)


def write_camvid(root: Path, mask: np.ndarray | None = None) -> None:
    write(root / "camvid/train/0001.png", PICTURE)
    if mask is not None:
        write(root / "camvid/trainannot/0001.png", mask)


def write_folder(root: Path, labels: str = '[labels]\n0 = "road"\n1 = ["car", "bicyclist"]\n9 = []\n') -> None:
    write(root / "mine/pictures/a.jpg", PICTURE)
    write(root / "mine/masks/a.png", index_mask(0, 1, 9, 255))
    (root / "mine/labels.toml").write_text(labels)


def opened(name: str, root: Path, **options):
    return open_dataset(name, root, CAMVID_CLASSES, **options)


def sets_seen(dataset, index: int = 0) -> list[set[str] | None]:
    """Names of the classes that each band of a sample may be; None for void."""
    names = {v: k for k, v in CLASS_IDS.items()}
    _, labels = dataset.load(index)
    _, first = np.unique(labels[0], return_index=True)
    return [
        None if labels[0, x] == VOID else {names[c] for c in dataset.label_sets[int(labels[0, x])]}
        for x in sorted(first)
    ]


def test_camvid_labels_are_the_models_own_and_eleven_is_void(tmp_path):
    """0 sky ... 10 bicyclist, 11 void."""
    write_camvid(tmp_path, index_mask(0, 3, 10, 11))
    assert sets_seen(opened("camvid-train", tmp_path)) == [{"sky"}, {"road"}, {"bicyclist"}, None]


def test_idd_lite_labels_are_sets_and_whole_drives_are_set_aside(tmp_path):
    """A vehicle is a car or a two-wheeler; drives whose number ends in 0 are never trained on."""
    for drive in ("7", "20"):
        write(tmp_path / f"idd_lite/leftImg8bit/train/{drive}/001_image.jpg", PICTURE)
        write(tmp_path / f"idd_lite/gtFine/train/{drive}/001_label.png", index_mask(0, 3, 6, 255))
    seen, unseen = opened("idd-lite-seen", tmp_path), opened("idd-lite-unseen", tmp_path)
    assert seen.names == ["7/001_image"] and unseen.names == ["20/001_image"]
    assert sets_seen(seen) == [{"road"}, {"car", "bicyclist"}, {"sky"}, None]


def test_comma10k_own_car_is_anything_but_road(tmp_path):
    """There is no class for it, but nobody drives on a bonnet."""
    write(tmp_path / "comma10k/imgs/x.png", PICTURE)
    write(tmp_path / "comma10k/masks/x.png", color_mask(0x402020, 0xFF0000, 0x00FF66, 0xCC00FF))
    road, _marking, movable, own_car = [*sets_seen(opened("comma10k", tmp_path))]
    assert road == {"road"} and movable == {"car", "pedestrian", "bicyclist"}
    assert own_car == set(CLASS_IDS) - {"road"}


def test_kitti_lane_masks_teach_the_lane_and_road_masks_also_what_is_not_road(tmp_path):
    """Beside the own lane there may be road."""
    masks = tmp_path / "kitti_road/training/gt_image_2"
    for number in ("000001", "000002"):
        write(tmp_path / f"kitti_road/training/image_2/um_{number}.png", PICTURE)
    write(masks / "um_road_000001.png", color_mask(0xFF0000, 0xFF00FF))
    write(masks / "um_lane_000002.png", color_mask(0xFF0000, 0xFF00FF))
    dataset = opened("kitti-road", tmp_path)
    assert sets_seen(dataset, 0) == [set(CLASS_IDS) - {"road"}, {"road"}]
    assert sets_seen(dataset, 1) == [set(CLASS_IDS), {"road"}]


def test_own_folders_say_in_toml_what_their_labels_mean(tmp_path):
    """One class, a set of classes, or void."""
    write_folder(tmp_path)
    dataset = opened("folder", tmp_path, folder="mine")
    assert dataset.names == ["a"]
    assert sets_seen(dataset) == [{"road"}, {"car", "bicyclist"}, set(), None]


def test_the_built_in_scene_is_a_data_set_of_plain_labels():
    """Exact labels without files; the same sample is the same picture."""
    dataset = opened("synthetic", Path("nowhere"), size=(64, 96), count=3)
    picture, labels = dataset.load(1)
    assert picture.shape == (64, 96, 3) and labels.shape == (64, 96)
    assert set(np.unique(labels)) <= {*dataset.label_sets, VOID}
    assert np.array_equal(dataset.load(1)[0], picture)


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"synthetic", "synthetic-unseen"}))
def test_a_data_set_that_is_not_there_names_the_folder(name, tmp_path):
    """And how to say where the data is."""
    with pytest.raises(UsageError, match=r"folder not found; give the data root with --data or STREAMSEG_DATA"):
        opened(name, tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    """Better now than as a division by zero later."""
    (tmp_path / "camvid/train").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"camvid/train: no files '\*\.png' in this folder"):
        opened("camvid-train", tmp_path)


def test_a_missing_mask_is_named(tmp_path):
    """The file that should be there."""
    write_camvid(tmp_path)
    with pytest.raises(UsageError, match=r"trainannot/0001\.png: file not found; every picture needs its mask"):
        opened("camvid-train", tmp_path).load(0)


def test_a_mask_of_another_size_is_named(tmp_path):
    """Both sizes are said."""
    write_camvid(tmp_path, np.zeros((12, 32), np.uint8))
    with pytest.raises(UsageError, match=r"trainannot/0001\.png: the mask is 32x12, its picture 32x24"):
        opened("camvid-train", tmp_path).load(0)


def test_an_unknown_label_is_named_with_its_file(tmp_path):
    """The value, and those that are known."""
    write_camvid(tmp_path, index_mask(0, 17))
    with pytest.raises(UsageError, match=r"0001\.png: unknown label 17; known are \[0, 1, .*\] and 255 for void"):
        opened("camvid-train", tmp_path).load(0)


def test_an_unknown_colour_is_named_with_its_file(tmp_path):
    """As the hexadecimal number that picture editors show."""
    write(tmp_path / "comma10k/imgs/x.png", PICTURE)
    write(tmp_path / "comma10k/masks/x.png", color_mask(0x402020, 0x123456))
    with pytest.raises(UsageError, match=r"masks/x\.png: unknown colour 123456; known are 402020, "):
        opened("comma10k", tmp_path).load(0)


def test_a_mask_with_colours_where_ids_are_wanted_is_named(tmp_path):
    """A colour mask read as ids would teach nonsense."""
    write_camvid(tmp_path, PICTURE)
    with pytest.raises(
        UsageError, match=r"0001\.png: masks must have one 8-bit channel of class ids, got \(24, 32, 3\)"
    ):
        opened("camvid-train", tmp_path).load(0)


def test_a_broken_picture_is_named(tmp_path):
    """Not a picture at all."""
    write_camvid(tmp_path, index_mask(0))
    (tmp_path / "camvid/train/0001.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"train/0001\.png: not a readable picture"):
        opened("camvid-train", tmp_path).load(0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            '[labels]\n0 = "rode"',
            r"this data set knows the class 'rode', the model does not; its classes are: sky, building",
        ),
        ('[labels]\nroad = "road"', r"labels must be whole numbers 0\.\.254, got 'road'"),
        ('[labels]\n255 = "road"', r"labels must be whole numbers 0\.\.254, got '255'"),
        ("0 = 'road'", r"expected TOML with a table \[labels\]"),
        ("[labels", r"expected TOML with a table \[labels\]"),
    ],
)
def test_mistakes_in_labels_toml_are_named(tmp_path, labels, message):
    """The file, and what would have been right."""
    write_folder(tmp_path, labels)
    with pytest.raises(UsageError, match=rf"labels\.toml: {message}"):
        opened("folder", tmp_path, folder="mine")


def test_a_model_without_a_data_sets_classes_is_told_which(tmp_path):
    """CamVid cannot teach a model that has no sky."""
    write_camvid(tmp_path)
    with pytest.raises(
        UsageError, match="this data set knows the class 'sky', the model does not; its classes are: road"
    ):
        open_dataset("camvid-train", tmp_path, (SegmentClass(0, "road", (1, 2, 3)),))


def test_a_data_set_name_that_does_not_exist_lists_those_that_do(tmp_path):
    """A typing error is answered with the choices."""
    with pytest.raises(UsageError, match="no data set is called 'camvit'; choose from: camvid-train"):
        opened("camvit", tmp_path)

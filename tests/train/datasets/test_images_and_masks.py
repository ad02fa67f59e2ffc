"""Data sets of one layout, images/NAME.jpg beside masks/NAME.png: what each label may teach, and what is set aside."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg.errors import UsageError
from train.classes import CAMVID_CLASSES, ROAD_SCENE_CLASSES, ROADSIDE_CLASSES
from train.datasets import open_dataset

NAMES = {each.id: each.name for each in ROADSIDE_CLASSES}
SCENE = set(NAMES.values())
PICTURE = np.full((24, 32, 3), 90, np.uint8)


def write(root: Path, folder: str, samples: list[str], labels: list[int] | None = None) -> None:
    """Pictures, and masks with one column band a label; the last band is void."""
    values = np.array([*(labels or [0]), 255], np.uint8)
    mask = np.resize(values.repeat(32 // len(values) + 1)[:32], (24, 32)) if len(values) < 32 else values[None]
    for kind in ("images", "masks"):
        (root / folder / kind).mkdir(parents=True, exist_ok=True)
    for sample in samples:
        assert cv2.imwrite(str(root / folder / "images" / f"{sample}.jpg"), PICTURE)
        assert cv2.imwrite(str(root / folder / "masks" / f"{sample}.png"), mask)


def meant(dataset) -> dict[int, set[str]]:
    """What each label may be, by the classes' names."""
    return {label: {NAMES[each] for each in allowed} for label, allowed in dataset.label_sets.items()}


@pytest.fixture
def adverse(tmp_path) -> Path:
    """A drive that is set aside and one that is not."""
    write(tmp_path, "acdc_adverse", ["night_GOPR0351_frame_000033", "night_GOPR0356_frame_000324"], [0, 9, 18])
    write(tmp_path, "acdc_adverse", ["snow_GOPR0604_frame_000310", "snow_GOPR0122_frame_000085"], [0, 9, 18])
    return tmp_path


def test_acdc_is_set_aside_by_drive_and_opened_by_weather(adverse):
    """One drive of each kind of weather is never trained on."""
    opened = {part: open_dataset(f"acdc-{part}", adverse, ROADSIDE_CLASSES) for part in ("seen", "unseen")}
    assert opened["seen"].names == ["night_GOPR0356_frame_000324", "snow_GOPR0122_frame_000085"]
    assert opened["unseen"].names == ["night_GOPR0351_frame_000033", "snow_GOPR0604_frame_000310"]
    assert [opened["unseen"].group(index) for index in range(2)] == ["night", "snow"]
    snow = open_dataset("acdc-unseen", adverse, ROADSIDE_CLASSES, condition="snow")
    assert snow.names == ["snow_GOPR0604_frame_000310"]


def test_acdc_has_cityscapes_labels(adverse):
    """Those that a model with verges and the own car has a class for, and sets for the others."""
    sets = meant(open_dataset("acdc-seen", adverse, ROADSIDE_CLASSES))
    one = {0: "road", 1: "pavement", 2: "building", 4: "fence", 5: "pole", 6: "sign", 7: "sign", 8: "tree", 9: "verge"}
    one |= {10: "sky", 11: "pedestrian", 13: "car", 14: "car", 15: "car", 17: "bicyclist", 18: "bicyclist"}
    assert {label: {name} for label, name in one.items()}.items() <= sets.items()
    assert sets[3] == {"building", "fence"} and sets[12] == {"pedestrian", "bicyclist"}
    assert sets[16] == SCENE - {"road"}
    assert sorted(sets) == list(range(19))


def test_terrain_is_no_road_and_no_pavement_to_a_model_without_verges(adverse):
    """It has nothing better to call it."""
    sets = meant(open_dataset("acdc-seen", adverse, ROAD_SCENE_CLASSES))
    assert sets[9] == SCENE - {"road", "pavement", "verge"}


def test_a_picture_of_acdc_comes_with_its_labels(adverse):
    """As they stand in the mask, 255 too."""
    picture, labels = open_dataset("acdc-seen", adverse, ROADSIDE_CLASSES).load(0)
    assert picture.shape == (24, 32, 3) and labels.shape == (24, 32)
    assert set(np.unique(labels)) == {0, 9, 18, 255}


def test_acdc_refuses_other_weather_and_other_names(adverse):
    """In one line with what there is."""
    with pytest.raises(UsageError, match="acdc: condition must be one of all, fog, night, rain, snow, got 'hail'"):
        open_dataset("acdc-seen", adverse, ROADSIDE_CLASSES, condition="hail")
    with pytest.raises(UsageError, match="acdc-unseen: has no samples here"):
        open_dataset("acdc-unseen", adverse, ROADSIDE_CLASSES, condition="fog")
    write(adverse, "acdc_adverse", ["holiday"])
    with pytest.raises(UsageError, match="acdc: a sample is called like night_GOPR0351_frame_000033, got 'holiday'"):
        open_dataset("acdc-seen", adverse, ROADSIDE_CLASSES)


def test_a_third_of_the_dashcam_frames_is_set_aside(tmp_path):
    """By number, so that it is the same third everywhere."""
    write(tmp_path, "dashcam_hand", ["truck_001", "truck_003", "truck_011", "truck_100"], [0, 1, 2])
    seen, unseen = (open_dataset(f"dashcam-hand-{part}", tmp_path, ROADSIDE_CLASSES) for part in ("seen", "unseen"))
    assert seen.names == ["truck_003", "truck_011"] and unseen.names == ["truck_001", "truck_100"]
    assert meant(seen) == {0: SCENE - {"road", "ego vehicle"}, 1: {"road"}, 2: {"ego vehicle"}}
    without = open_dataset("dashcam-hand-seen", tmp_path, CAMVID_CLASSES)
    assert meant(without)[2] == {each.name for each in CAMVID_CLASSES} - {"road"}
    write(tmp_path, "dashcam_hand", ["truck"])
    with pytest.raises(UsageError, match="dashcam-hand: a sample is called like truck_012, got 'truck'"):
        open_dataset("dashcam-hand-seen", tmp_path, ROADSIDE_CLASSES)


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        (
            "lums-campus",
            "lums_campus",
            {
                0: SCENE - {"road", "pavement"},
                1: {"car", "pedestrian", "bicyclist", "fence"},
                2: {"road"},
                3: {"pavement"},
                4: {"road"},
            },
        ),
        ("kitti-road-test", "kitti_road_test", {0: set(), 1: {"road"}}),
        ("bdd-road-pseudo", "bdd_road_pseudo", {0: SCENE - {"road"}, 1: {"road"}}),
        ("dashcam-road-pseudo", "dashcam_road_pseudo", {0: SCENE - {"road"}, 1: {"road"}}),
    ],
)
def test_labels_teach_no_more_than_their_makers_knew(tmp_path, name, folder, expected):
    """ "All the rest" is a set, and KITTI's "not the own carriageway" may still be road."""
    write(tmp_path, folder, ["a", "b"], [0, 1])
    dataset = open_dataset(name, tmp_path, ROADSIDE_CLASSES)
    assert dataset.name == name and dataset.names == ["a", "b"]
    assert meant(dataset) == expected
    assert set(np.unique(dataset.load(1)[1])) == {0, 1, 255}


def test_a_label_that_a_data_set_does_not_have_is_refused(tmp_path):
    """With the mask's name."""
    write(tmp_path, "bdd_road_pseudo", ["a"], [0, 1, 2])
    with pytest.raises(UsageError, match=r"masks/a\.png: unknown label 2; known are \[0, 1\] and 255 for void"):
        open_dataset("bdd-road-pseudo", tmp_path, ROADSIDE_CLASSES).load(0)


def test_grass_and_what_is_undrivable_may_be_verge(tmp_path):
    """The scene's grass is exactly that; IDD-Lite's non-drivable ground may be. To models without verges grass is
    void, and non-drivable ground pavement or tree."""
    picture, labels = open_dataset("synthetic", tmp_path, ROADSIDE_CLASSES, size=(96, 160), count=1).load(0)
    assert picture.shape == (96, 160, 3)
    scene = open_dataset("synthetic", tmp_path, ROADSIDE_CLASSES, size=(96, 160), count=1)
    grass = next(label for label, allowed in meant(scene).items() if allowed == {"verge"})
    assert np.count_nonzero(labels == grass) > 0 and not np.any(labels == 255)
    assert not open_dataset("synthetic", tmp_path, ROAD_SCENE_CLASSES, size=(96, 160)).label_sets[grass]
    for kind, end in (("leftImg8bit", "image.jpg"), ("gtFine", "label.png")):
        path = tmp_path / f"idd_lite/{kind}/train/7/001_{end}"
        path.parent.mkdir(parents=True)
        assert cv2.imwrite(str(path), PICTURE if end.endswith("jpg") else PICTURE[..., 0] * 0)
    assert meant(open_dataset("idd-lite-seen", tmp_path, ROADSIDE_CLASSES))[1] == {"pavement", "verge"}
    assert meant(open_dataset("idd-lite-seen", tmp_path, ROAD_SCENE_CLASSES))[1] == {"pavement", "tree"}

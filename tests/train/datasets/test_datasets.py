"""Data sets: what their files mean, and one line that names the file where something is wrong."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.spec import SegmentClass
from train.classes import CAMVID_CLASSES, ROADSIDE_CLASSES, classes_from_toml
from train.config import load_config
from train.datasets import DATASETS, VOID, open_dataset
from train.label_sets import SetTable

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


def write_folder(root: Path, toml: str = '[labels]\n0 = "road"\n1 = ["car", "bicyclist"]\n9 = []\n') -> None:
    write(root / "mine/pictures/a.jpg", PICTURE)
    write(root / "mine/masks/a.png", index_mask(0, 1, 9, 255))
    (root / "mine/classes.toml").write_text(toml)


def write_kitti(root: Path, pictures: dict[str, np.ndarray]) -> None:
    """Masks by name, such as um_road_000001, and a picture for each."""
    for name, mask in pictures.items():
        category, _, number = name.split("_")
        write(root / f"kitti_road/training/image_2/{category}_{number}.png", PICTURE)
        write(root / f"kitti_road/training/gt_image_2/{name}.png", mask)


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
    assert seen.names == ["7/001"] and unseen.names == ["20/001"]
    assert sets_seen(seen) == [{"road"}, {"car", "bicyclist"}, {"sky"}, None]


def test_idd_lite_non_drivable_of_the_colour_of_grass_or_earth_is_verge(tmp_path):
    """What is grey may be a pavement too; a model without verges calls all of it pavement or tree."""
    picture = np.full((24, 32, 3), 90, np.uint8)
    picture[:, 8:16] = (60, 110, 70)  # grass, BGR
    picture[:, 16:24] = (80, 110, 140)  # earth
    write(tmp_path / "idd_lite/leftImg8bit/train/7/001_image.jpg", picture)
    write(tmp_path / "idd_lite/gtFine/train/7/001_label.png", index_mask(1, 1, 1, 0))
    names = [each.name for each in ROADSIDE_CLASSES]
    dataset = open_dataset("idd-lite-seen", tmp_path, ROADSIDE_CLASSES)
    _, labels = dataset.load(0)
    found = [{names[c] for c in dataset.label_sets[int(label)]} for label in labels[12, [4, 12, 20, 28]]]
    assert found == [{"pavement", "verge"}, {"verge"}, {"verge"}, {"road"}]
    without = opened("idd-lite-seen", tmp_path)
    _, labels = without.load(0)
    grey, grass = (without.label_sets[int(label)] for label in labels[12, [4, 12]])
    assert grey == grass == {CLASS_IDS["pavement"], CLASS_IDS["tree"]}


def test_camvids_trees_below_the_roads_end_may_be_grass_to_a_model_that_knows_verges(tmp_path):
    """CamVid has no other name for grass; above the road there are trees alone, and its val part stays as published."""
    mask = np.full((24, 32), CLASS_IDS["tree"], np.uint8)
    mask[12:, 16:] = CLASS_IDS["road"]
    write_camvid(tmp_path, mask)
    write(tmp_path / "camvid/val/0001.png", PICTURE)
    write(tmp_path / "camvid/valannot/0001.png", mask)
    names = [each.name for each in ROADSIDE_CLASSES]
    for part, below in (("train", {"tree", "verge"}), ("val", {"tree"})):
        dataset = open_dataset(f"camvid-{part}", tmp_path, ROADSIDE_CLASSES)
        _, labels = dataset.load(0)
        found = [{names[c] for c in dataset.label_sets[int(label)]} for label in labels[[4, 20, 20], [4, 4, 28]]]
        assert found == [{"tree"}, below, {"road"}]


def test_comma10k_own_car_is_anything_but_road(tmp_path):
    """There is no class for it, but nobody drives on a bonnet."""
    write(tmp_path / "comma10k/imgs/x.png", PICTURE)
    write(tmp_path / "comma10k/masks/x.png", color_mask(0x402020, 0xFF0000, 0x00FF66, 0xCC00FF))
    road, _marking, movable, own_car = [*sets_seen(opened("comma10k", tmp_path))]
    assert road == {"road"} and movable == {"car", "pedestrian", "bicyclist"}
    assert own_car == set(CLASS_IDS) - {"road"}


def test_kitti_lane_masks_teach_the_lane_and_road_masks_also_what_is_not_road(tmp_path):
    """Beside the own lane there may be road."""
    mask = color_mask(0xFF0000, 0xFF00FF)
    write_kitti(tmp_path, {"um_road_000001": mask, "um_lane_000002": mask})
    dataset = opened("kitti-road", tmp_path)
    assert sets_seen(dataset, 0) == [set(CLASS_IDS) - {"road"}, {"road"}]
    assert sets_seen(dataset, 1) == [set(CLASS_IDS), {"road"}]


def test_kitti_has_three_kinds_of_road_and_prefers_road_masks(tmp_path):
    """um, umm and uu; the published um pictures have a lane mask beside their road mask."""
    road, lane = color_mask(0xFF00FF), color_mask(0xFF0000)
    write_kitti(
        tmp_path, {"um_lane_000000": lane, "um_road_000000": road, "umm_road_000001": road, "uu_road_000002": road}
    )
    dataset = opened("kitti-road", tmp_path)
    assert dataset.names == ["um_000000", "umm_000001", "uu_000002"]
    assert [sets_seen(dataset, index) for index in range(3)] == [[{"road"}]] * 3


def test_black_in_a_kitti_road_mask_is_void_or_not_road_as_the_config_says(tmp_path):
    """It is another road, or was not labelled. In lane masks it is always void."""
    mask = color_mask(0xFF0000, 0xFF00FF, 0x000000, 0xFF0000)
    write_kitti(tmp_path, {"um_road_000001": mask, "um_lane_000002": mask})
    no_road = set(CLASS_IDS) - {"road"}
    assert sets_seen(opened("kitti-road", tmp_path))[:3] == [no_road, {"road"}, None]
    _, labels = opened("kitti-road", tmp_path, black="not road").load(0)
    assert np.array_equal(labels[0, 16:24], labels[0, :8])
    assert sets_seen(opened("kitti-road", tmp_path, black="not road"), 1)[2] is None
    with pytest.raises(UsageError, match="kitti-road: black must be 'void' or 'not road', got 'red'"):
        opened("kitti-road", tmp_path, black="red")


def test_files_that_are_not_called_as_kittis_are_named(tmp_path):
    """Rather than guessed at."""
    write_kitti(tmp_path, {"um_road_000001": color_mask(0xFF00FF)})
    write(tmp_path / "kitti_road/training/image_2/holiday.png", PICTURE)
    with pytest.raises(
        UsageError, match=r"image_2/holiday\.png: KITTI road has um_000001\.png in image_2 and .*rename"
    ):
        opened("kitti-road", tmp_path)


def test_own_folders_say_in_toml_what_their_labels_mean(tmp_path):
    """One class, a set of classes, or void."""
    write_folder(tmp_path)
    dataset = opened("folder", tmp_path, folder="mine")
    assert dataset.names == ["a"]
    assert sets_seen(dataset) == [{"road"}, {"car", "bicyclist"}, set(), None]


def test_own_classes_come_from_the_same_toml(tmp_path):
    """Their order gives the ids; a colour left out is chosen, and none twice."""
    write_folder(tmp_path, '[classes]\n"dirt track" = [150, 70, 160]\nmeadow = []\nforest = []\n')
    classes = classes_from_toml(tmp_path / "mine/classes.toml")
    assert [(each.id, each.name) for each in classes] == [(0, "dirt track"), (1, "meadow"), (2, "forest")]
    assert classes[0].color_rgb == (150, 70, 160)
    assert len({each.color_rgb for each in classes}) == 3


def test_without_a_table_of_labels_the_value_in_the_mask_is_the_class(tmp_path):
    """The shortest TOML there is: names and colours."""
    write_folder(tmp_path, "[classes]\nroad = []\nother = []\n")
    write(tmp_path / "mine/masks/a.png", index_mask(1, 0, 255, 1))
    dataset = open_dataset("folder", tmp_path / "mine", classes_from_toml(tmp_path / "mine/classes.toml"))
    assert dataset.name == "mine"
    assert dataset.label_sets == {0: {0}, 1: {1}}
    assert list(dataset.load(0)[1][0, ::8]) == [1, 0, 255, 1]


def test_own_classes_and_labels_together_make_sets(tmp_path):
    """Several values may be one class, and one value may be several."""
    write_folder(
        tmp_path, '[classes]\nroad = []\ncar = []\nother = []\n[labels]\n0 = "road"\n1 = ["car", "other"]\n9 = "road"'
    )
    classes = classes_from_toml(tmp_path / "mine/classes.toml")
    assert open_dataset("folder", tmp_path, classes, folder="mine").label_sets == {0: {0}, 1: {1, 2}, 9: {0}}


def test_a_config_may_take_its_classes_from_the_toml(tmp_path):
    """As the documentation shows it: one TOML, one config, and the data set opens with both."""
    write_folder(tmp_path, "[classes]\nroad = []\nother = []\n")
    write(tmp_path / "mine/masks/a.png", index_mask(1, 0, 1, 1))
    (tmp_path / "mine.py").write_text(
        "from train.classes import classes_from_toml\n"
        "from train.config import Experiment, Share\n"
        f"CLASSES = classes_from_toml({str(tmp_path / 'mine/classes.toml')!r})\n"
        'EXPERIMENT = Experiment(name="mine", classes=CLASSES, shares=(Share("folder", options={"folder": "mine"}),))\n'
    )
    experiment = load_config(tmp_path / "mine.py")
    share = experiment.shares[0]
    dataset = open_dataset(share.dataset, tmp_path, experiment.classes, **share.options)
    table = SetTable(len(experiment.classes), dataset.label_sets.values())
    assert np.array_equal(table.matrix()[table.lookup(dataset.label_sets)[dataset.load(0)[1]]][0, 0], [0, 1])


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
    with pytest.raises(UsageError, match=r"camvid/train: no files '\*' \(\.png\) in this folder; see docs/data\.md"):
        opened("camvid-train", tmp_path)


def test_a_part_without_drives_is_refused(tmp_path):
    """IDD-Lite cut down to drives of which none is set aside."""
    write(tmp_path / "idd_lite/leftImg8bit/train/7/001_image.jpg", PICTURE)
    write(tmp_path / "idd_lite/gtFine/train/7/001_label.png", index_mask(0))
    with pytest.raises(UsageError, match="idd-lite-unseen: has no samples here"):
        opened("idd-lite-unseen", tmp_path)


def test_a_missing_mask_is_found_when_the_data_set_is_opened(tmp_path):
    """The picture that lacks it is named, and how many others do, not after an hour of training."""
    write_camvid(tmp_path, index_mask(0))
    for number in (2, 3, 4):
        write(tmp_path / f"camvid/train/000{number}.png", PICTURE)
    with pytest.raises(
        UsageError, match=r"train/0002\.png: has no mask, nor have 2 other files; add the mask, or remove"
    ):
        opened("camvid-train", tmp_path)


def test_a_missing_picture_is_found_when_the_data_set_is_opened(tmp_path):
    """A mask alone teaches nothing, and its owner wants to know."""
    write_camvid(tmp_path, index_mask(0))
    write(tmp_path / "camvid/trainannot/0002.png", index_mask(0))
    with pytest.raises(UsageError, match=r"trainannot/0002\.png: has no picture; add the picture, or remove this file"):
        opened("camvid-train", tmp_path)


def test_files_that_go_while_a_training_runs_are_named(tmp_path):
    """As if they had been missing from the start."""
    write_camvid(tmp_path, index_mask(0))
    dataset = opened("camvid-train", tmp_path)
    (tmp_path / "camvid/trainannot/0001.png").unlink()
    with pytest.raises(UsageError, match=r"trainannot/0001\.png: file not found; every picture needs its mask"):
        dataset.load(0)


def test_two_pictures_for_one_mask_are_refused(tmp_path):
    """a.jpg and a.png: nobody knows which one the mask belongs to."""
    write_folder(tmp_path)
    write(tmp_path / "mine/pictures/a.png", PICTURE)
    with pytest.raises(UsageError, match=r"pictures/a\.png: sample 'a' is also in a\.jpg; keep one of the two"):
        opened("folder", tmp_path, folder="mine")


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


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (PICTURE, "got 3 of 8 bits"),
        (np.zeros((24, 32), np.uint16), "got 1 of 16 bits"),
        (np.zeros((24, 32, 4), np.uint8), "got 4 of 8 bits"),
    ],
    ids=["colours", "16 bit", "with alpha"],
)
def test_a_mask_that_is_no_index_mask_is_named(tmp_path, mask, message):
    """A colour mask read as ids would teach nonsense."""
    write_camvid(tmp_path, mask)
    with pytest.raises(
        UsageError, match=rf"0001\.png: masks must have one 8-bit channel of label numbers, {message}; save"
    ):
        opened("camvid-train", tmp_path).load(0)


def test_a_broken_picture_is_named(tmp_path):
    """Not a picture at all."""
    write_camvid(tmp_path, index_mask(0))
    (tmp_path / "camvid/train/0001.png").write_text("no picture")
    with pytest.raises(UsageError, match=r"train/0001\.png: not a readable picture"):
        opened("camvid-train", tmp_path).load(0)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (
            '[labels]\n0 = "rode"',
            r"this data set knows the class 'rode', the model does not; its classes are: sky, building",
        ),
        ('[labels]\nroad = "road"', r"labels must be whole numbers 0\.\.254, got 'road'"),
        ('[labels]\n255 = "road"', r"labels must be whole numbers 0\.\.254, got '255'; 255 is void without saying"),
        ("[labels]\n0 = 3", r"a label means a class's name or a list of names, got 3"),
        ("labels = 3", r"expected a table \[labels\]"),
        ("0 = 'road'", r"expected a table \[classes\]"),
        ("[labels", r"not TOML"),
        ("[classes]\n", r"expected a table \[classes\] of 1 to 255 lines such as: road = \[150, 70, 160\]"),
        ("[classes]\nroad = [1, 2]", r"the colour of 'road' must be three numbers 0\.\.255 .*, got \[1, 2\]"),
        ("[classes]\nroad = [1, 2, 256]", r"the colour of 'road' must be three numbers"),
        ("[classes]\nroad = []\nroad = []", r"not TOML"),
    ],
)
def test_mistakes_in_classes_toml_are_named(tmp_path, toml, message):
    """The file, and what would have been right."""
    write_folder(tmp_path, toml)
    with pytest.raises(UsageError, match=rf"classes\.toml: {message}"):
        opened("folder", tmp_path, folder="mine")


def test_a_missing_classes_toml_is_named(tmp_path):
    """With the page that shows one."""
    write_folder(tmp_path)
    (tmp_path / "mine/classes.toml").unlink()
    with pytest.raises(UsageError, match=r"mine/classes\.toml: cannot read this file .*No such file.*docs/data\.md"):
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


def test_an_option_that_a_data_set_does_not_have_lists_those_it_has(tmp_path):
    """A typing error in a config is answered with the choices."""
    with pytest.raises(UsageError, match="data set kitti-road has no option 'blak'; it has: black, samples"):
        opened("kitti-road", tmp_path, blak="void")


def test_any_data_set_can_be_cut_down_to_a_list_of_samples(tmp_path):
    """In the list's order, with the data set's own labels; comments and empty lines are passed over."""
    mask = color_mask(0xFF0000, 0xFF00FF)
    write_kitti(tmp_path, {f"um_road_00000{number}": mask for number in range(4)})
    (tmp_path / "some.txt").write_text("# two of four\n\num_000003\num_000001\n")
    some = opened("kitti-road", tmp_path, samples=tmp_path / "some.txt")
    assert some.names == ["um_000003", "um_000001"] and len(some) == 2
    assert sets_seen(some) == [set(CLASS_IDS) - {"road"}, {"road"}]
    (tmp_path / "one.txt").write_text("96x64_seed1000_view2")
    scene = {"size": (64, 96), "keep": str(tmp_path / "kept")}
    one = opened("synthetic", tmp_path, samples=str(tmp_path / "one.txt"), **scene)
    assert np.array_equal(one.load(0)[0], opened("synthetic", tmp_path, **scene).load(2)[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("um_000009", r"kitti-road has no sample 'um_000009', it has 1 such as 'um_000001'; write the list again"),
        ("# nothing\n", r"names no samples; one name a line"),
        (None, r"cannot read this list of samples \(No such file or directory\)"),
        (b"\xff\xfe\xfa", r"cannot read this list of samples \(it is no UTF-8 text\)"),
    ],
)
def test_mistakes_in_a_list_of_samples_are_named(tmp_path, content, message):
    """The list's file, and how to get a right one."""
    write_kitti(tmp_path, {"um_road_000001": color_mask(0xFF00FF)})
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=rf"list\.txt: {message}"):
        opened("kitti-road", tmp_path, samples=path)

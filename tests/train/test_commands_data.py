"""`python -m train kitti-scene` and `augmentations`, as a person runs them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.errors import SinkError, UsageError
from train.augment import Augmentation
from train.classes import CAMVID_CLASSES
from train.commands import augmentations, kitti_scene
from train.datasets import open_dataset

SIZE = ("--size", "96x64")


def run(command, *arguments):
    """What a command prints; its own errors come out as they are raised."""
    done = CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """Ten pictures of two scenes."""
    folder = tmp_path_factory.mktemp("scene")
    run(kitti_scene.main, folder, "--count", 10, *SIZE)
    return folder


@pytest.mark.slow
def test_the_scene_in_kittis_layout_is_a_kitti_data_set(scene):
    """Magenta road, red everything else, no black; the road is where the built-in scene has it."""
    names = [f"um_{number:06}.png" for number in range(10)]
    assert sorted(path.name for path in (scene / "kitti_road/training/image_2").iterdir()) == names
    dataset = open_dataset("kitti-road", scene, CAMVID_CLASSES)
    built_in = open_dataset("synthetic", scene, CAMVID_CLASSES, size=(64, 96), count=8, first_seed=1_000_000, views=8)
    for index in (0, 7):
        picture, labels = dataset.load(index)
        same_picture, classes = built_in.load(index)
        assert np.array_equal(picture, same_picture)
        assert np.array_equal(labels == 0, classes == 3) and set(np.unique(labels)) == {0, 1}


def test_views_and_scenes_differ(scene):
    """No picture comes twice."""
    pictures = {path.read_bytes() for path in (scene / "kitti_road/training/image_2").iterdir()}
    assert len(pictures) == 10


def test_a_stopped_run_goes_on_and_a_larger_count_adds(scene, tmp_path):
    """What is there stays, and what is missing comes out the same."""
    run(kitti_scene.main, tmp_path, "--count", 9, *SIZE)
    (tmp_path / "kitti_road/training/gt_image_2/um_road_000003.png").unlink()
    said = run(kitti_scene.main, tmp_path, "--count", 10, *SIZE)
    assert contents(tmp_path) == contents(scene)
    assert said == f"{tmp_path / 'kitti_road'}: 10 pictures 96x64; train on them with --data {tmp_path}\n"


def test_another_seed_draws_other_scenes(scene, tmp_path):
    """So that pictures to score on need not be those trained on."""
    run(kitti_scene.main, tmp_path, "--count", 1, "--seed", 1, *SIZE)
    (picture,) = (tmp_path / "kitti_road/training/image_2").iterdir()
    assert picture.read_bytes() not in contents(scene).values()


@pytest.mark.parametrize("settings", [("--seed", "1", *SIZE), ("--size", "128x64")])
def test_pictures_of_other_settings_are_never_mixed_in(scene, settings):
    """Refused, and nothing written."""
    before = contents(scene)
    with pytest.raises(UsageError, match=r"scene\.json: the pictures here have another --seed or --size; give"):
        run(kitti_scene.main, scene, *settings)
    assert contents(scene) == before


def test_pictures_of_kitti_itself_are_never_mixed_with(tmp_path):
    """A folder that the command did not make is left alone."""
    (tmp_path / "kitti_road/training/image_2").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"kitti_road: holds other pictures \(no scene\.json in it\); give another"):
        run(kitti_scene.main, tmp_path, *SIZE)


def test_a_scene_too_small_to_draw_is_refused(tmp_path):
    """Before anything is written."""
    with pytest.raises(UsageError, match="a synthetic scene is 64x64 to"):
        run(kitti_scene.main, tmp_path, "--size", "16x16")
    assert list(tmp_path.iterdir()) == []


def test_augmentations_are_drawn_one_row_a_setting(scene, tmp_path):
    """A row as it is, one for each setting, one for all together; a picture and its labels for each sample."""
    out = tmp_path / "sheet.png"
    said = run(
        augmentations.main, "--dataset", "kitti-road", "--data", scene, "--samples", 1, "--seed", 1, "--out", out
    )
    rows = len(fields(Augmentation)) + 2
    picture = cv2.imread(str(out))
    assert picture.shape[0] % rows == 0 and picture.shape[1] % 2 == 0
    height = picture.shape[0] // rows
    as_it_is, *changed = (picture[row * height : row * height + height - 30] for row in range(rows))
    names = [*(each.name for each in fields(Augmentation)), "all by default"]
    same = [name for name, each in zip(names, changed, strict=True) if np.array_equal(as_it_is, each)]
    assert same == ["paste"], "of road and not road there is nothing to paste"
    assert said == f"{out}: {rows - 2} settings on 1 pictures of kitti-road\n"


def test_a_sheet_that_cannot_be_written_is_an_error_of_one_line(scene, tmp_path, train_command):
    """With the way out, and without a traceback."""
    arguments = ("--dataset", "kitti-road", "--data", scene, "--samples", "1", "--out")
    with pytest.raises(SinkError, match=r"sheet\.doc: cannot write this picture \(unknown format\); give another path"):
        run(augmentations.main, *arguments, tmp_path / "sheet.doc")
    (tmp_path / "file").touch()
    done = train_command("train", "augmentations", *arguments, tmp_path / "file" / "sheet.png", check=False)
    assert done.returncode == 5
    assert done.stderr.startswith(f"error: {tmp_path / 'file/sheet.png'}: cannot write this picture (")
    assert done.stderr.count("\n") == 1

"""`python -m train split`: two lists, by seed, and nothing moved."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.errors import SinkError, UsageError
from train.classes import CAMVID_CLASSES
from train.commands.split import main
from train.datasets import open_dataset
from train.datasets.subset import read_names

COUNT = 12


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Twelve pictures in KITTI road's layout."""
    folder = tmp_path_factory.mktemp("data")
    mask = np.full((4, 6, 3), (255, 0, 255), np.uint8)
    for kind, place in (("image_2", "um"), ("gt_image_2", "um_road")):
        (folder / "kitti_road/training" / kind).mkdir(parents=True)
        for number in range(COUNT):
            assert cv2.imwrite(str(folder / "kitti_road/training" / kind / f"{place}_{number:06}.png"), mask)
    return folder


def split(root, *arguments, dataset="kitti-road"):
    """What the command prints; its own errors come out as they are raised."""
    words = [dataset, "--data", root, *arguments]
    done = CliRunner().invoke(main, [str(each) for each in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_sample_is_in_one_list_and_only_one(root, tmp_path):
    """Sorted, with a line that says where they come from; the data set opens with either, and no file has moved."""
    before = sorted(root.rglob("*"))
    said = split(root, "--validation", 4, "--seed", 3, "--out", tmp_path)
    train, val = (read_names(tmp_path / f"{part}.txt") for part in ("train", "val"))
    assert (len(train), len(val)) == (8, 4)
    assert train == sorted(train) and val == sorted(val)
    assert sorted(train + val) == [f"um_{number:06}" for number in range(COUNT)]
    assert (tmp_path / "val.txt").read_text().startswith("# kitti-road, val: 4 of 12 samples, seed 3\n")
    assert said == f"{tmp_path / 'train.txt'}: 8 samples\n{tmp_path / 'val.txt'}: 4 samples\n"
    assert open_dataset("kitti-road", root, CAMVID_CLASSES, samples=tmp_path / "val.txt").names == val
    assert sorted(root.rglob("*")) == before


def test_the_seed_repeats_a_split(root, tmp_path):
    """On any day, in any folder; another seed chooses others."""
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        split(root, "--validation", 4, "--seed", seed, "--out", tmp_path / folder)
    first, again, other = ((tmp_path / folder / "val.txt").read_bytes() for folder in "abc")
    assert first == again != other


def test_another_split_asks_before_it_replaces_one(root, tmp_path):
    """The same split over itself is no error."""
    split(root, "--validation", 4, "--out", tmp_path)
    split(root, "--validation", 4, "--out", tmp_path)
    first = (tmp_path / "val.txt").read_text()
    other = ("--validation", 4, "--seed", 1, "--out", tmp_path)
    with pytest.raises(UsageError, match=r"train\.txt: holds another split; give --overwrite to replace it"):
        split(root, *other)
    assert (tmp_path / "val.txt").read_text() == first
    split(root, *other, "--overwrite")
    assert (tmp_path / "val.txt").read_text() != first


def test_setting_all_pictures_aside_is_refused(root, train_command, tmp_path):
    """The default of 48 is too many for twelve: one line, exit code 2, nothing written."""
    done = train_command("train", "split", "kitti-road", "--data", root, "--out", tmp_path / "out", check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: kitti-road has 12 samples, --validation 48 leaves none to train on; give a smaller one\n"
    )
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="leaves none to train on"):
        split(root, "--validation", COUNT)


def test_lists_go_to_a_folder_of_the_data_sets_name(root, tmp_path, monkeypatch):
    """runs/split/kitti_road, where the configs look for them."""
    monkeypatch.chdir(tmp_path)
    split(root, "--validation", 2)
    assert len(read_names(Path("runs/split/kitti_road/val.txt"))) == 2


def test_lists_that_cannot_be_written_are_named(root, tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=r"file/train\.txt: cannot write this list \(.*\); give another --out"):
        split(root, "--validation", 2, "--out", tmp_path / "file")


def test_your_own_folder_is_split_with_its_own_classes(tmp_path):
    """One TOML is all it needs."""
    for kind in ("pictures", "masks"):
        (tmp_path / kind).mkdir()
        for name in "abc":
            assert cv2.imwrite(str(tmp_path / kind / f"{name}.png"), np.zeros((4, 6), np.uint8))
    (tmp_path / "classes.toml").write_text("[classes]\nmeadow = []\nforest = []\n")
    arguments = ("--classes", tmp_path / "classes.toml", "--validation", 1, "--out", tmp_path / "out")
    split(tmp_path, *arguments, dataset="folder")
    assert len(read_names(tmp_path / "out/train.txt")) == 2

"""Scores by picture and group, calibration, and classes that a data set's labels do not know, in `train.evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.spec import SegmentClass
from tests.segmenters import SIZE, color_logits, color_model, foreign_color_model, painted, softmax
from train.calibration import expected_calibration_error
from train.datasets import open_dataset
from train.evaluate import main

ROAD, SKY, TREE, VERGE, OWN = range(5)
CLASSES = (
    SegmentClass(ROAD, "road", (140, 60, 160)),
    SegmentClass(SKY, "sky", (70, 170, 250)),
    SegmentClass(TREE, "tree", (60, 160, 50)),
    SegmentClass(VERGE, "verge", (120, 120, 60)),
    SegmentClass(OWN, "ego vehicle", (120, 125, 100)),
)
SOFT = 4000.0
LABELS = '[labels]\n0 = "road"\n1 = "sky"\n2 = "tree"\n'


def columns(*ids: int) -> np.ndarray:
    """Labels in vertical stripes of 16 pixels: four of them."""
    return np.repeat(np.repeat(np.uint8(ids), 16)[None], SIZE[0], 0)


def write_folder(root: Path, samples: dict[str, tuple[np.ndarray, np.ndarray]], labels: str = LABELS) -> Path:
    """A data set `folder` at the root: what each picture shows, by class ids, and what its mask says."""
    for part in ("pictures", "masks"):
        (root / part).mkdir(parents=True)
    for name, (shown, mask) in samples.items():
        cv2.imwrite(str(root / "pictures" / f"{name}.png"), painted(shown, CLASSES))
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask)
    (root / "classes.toml").write_text(labels)
    return root


def evaluate(model: Path, root: Path, *arguments: object) -> str:
    """What the command prints."""
    words = [str(model), "folder", "--data", str(root), *map(str, arguments)]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Exact to the pixel: logits at full size."""
    return foreign_color_model(tmp_path_factory.mktemp("model") / "colors.onnx", CLASSES, SOFT)


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """In this project's own form, as exported: labels out, logits inside at half the size."""
    return color_model(tmp_path_factory.mktemp("own") / "colors.onnx", CLASSES, SOFT)


@pytest.fixture(scope="module")
def streets(tmp_path_factory) -> Path:
    """Four pictures; masks say road, sky or tree and are right where the picture is."""
    right = columns(SKY, ROAD, ROAD, TREE)
    return write_folder(
        tmp_path_factory.mktemp("streets"),
        {
            "fog_1": (right, right),
            "fog_2": (columns(SKY, ROAD, TREE, TREE), right),  # half of the road is missed
            "snow_1": (columns(SKY, TREE, TREE, ROAD), right),  # all of it, and another found
            "dark": (columns(SKY, SKY, SKY, ROAD), columns(SKY, SKY, SKY, TREE)),  # no road by the labels
        },
    )


def test_road_is_scored_by_picture_and_by_the_groups_of_the_list(model, streets, tmp_path):
    """Worked by hand: IoUs of 1, 1/2 and 0; the picture without road is in the pooled figure only."""
    (tmp_path / "list.txt").write_text("# by weather\nfog_1\tfog\nfog_2\tfog\nsnow_1\tsnow\ndark\n")
    words = ("--samples", tmp_path / "list.txt")
    figures = json.loads(evaluate(model, streets, "--json", "--per-picture", *words))
    groups = figures["groups"]
    assert list(groups) == ["all", "fog", "snow"]
    assert groups["all"]["road"] == {"pictures": 3, "mean": 0.5, "pooled": pytest.approx(3 / 8, abs=1e-4)}
    assert groups["fog"] == {
        "pictures": 2,
        "road": {"pictures": 2, "mean": 0.75, "pooled": 0.75},
        "ego vehicle": {"pictures": 0, "mean": None, "pooled": None},
    }
    assert groups["snow"]["road"] == {"pictures": 1, "mean": 0, "pooled": 0}
    assert figures["per_picture"]["fog_2"] == {"score": figures["per_picture"]["fog_2"]["score"], "group": "fog",
                                               "road": 0.5, "ego vehicle": None}  # fmt: skip
    assert figures["per_picture"]["dark"]["group"] is None
    lines = [line.split() for line in evaluate(model, streets, *words).splitlines()]
    assert ["fog", "2", "0.7500", "0.7500"] in lines


def test_the_own_car_has_the_same_measures(model, tmp_path):
    """Where the labels know it; here half of it is found."""
    mask = columns(SKY, ROAD, 3, 3)
    write_folder(tmp_path / "cars", {"a": (columns(SKY, ROAD, OWN, ROAD), mask)}, LABELS + '3 = "ego vehicle"\n')
    groups = json.loads(evaluate(model, tmp_path / "cars", "--json"))["groups"]
    assert groups["all"]["ego vehicle"] == {"pictures": 1, "mean": 0.5, "pooled": 0.5}


def test_a_data_set_without_groups_has_one_of_all(model, streets):
    """And a data set may name groups by itself: by default none."""
    data = open_dataset("folder", streets, CLASSES)
    assert [data.group(index) for index in range(len(data))] == [None] * 4
    assert list(json.loads(evaluate(model, streets, "--json"))["groups"]) == ["all"]


def test_a_pixel_called_verge_takes_the_best_of_the_classes_that_the_labels_know(model, tmp_path):
    """By hand: to the verge's colour the tree's is nearer than road and sky; the own car's, nearer still, is no
    class of these labels. Where the labels know verge, verge is verge."""
    shown = columns(SKY, ROAD, VERGE, TREE)
    distances = {each.name: np.subtract(each.color_rgb, CLASSES[VERGE].color_rgb) @ np.subtract(
        each.color_rgb, CLASSES[VERGE].color_rgb) for each in CLASSES}  # fmt: skip
    assert sorted(distances, key=distances.get)[:3] == ["verge", "ego vehicle", "tree"]
    write_folder(tmp_path / "eleven", {"a": (shown, columns(SKY, ROAD, TREE, TREE))})
    figures = json.loads(evaluate(model, tmp_path / "eleven", "--json"))
    assert figures["iou"] == {"road": 1, "sky": 1, "tree": 1}
    assert figures["second_choice"] == {"classes": ["verge"], "known": True}
    assert "do not know verge: pixels called so take the most probable" in evaluate(model, tmp_path / "eleven")
    write_folder(tmp_path / "more", {"a": (shown, columns(SKY, ROAD, 4, TREE))}, LABELS + '4 = "verge"\n')
    figures = json.loads(evaluate(model, tmp_path / "more", "--json"))
    assert figures["iou"] == {"road": 1, "sky": 1, "tree": 1, "verge": 1}
    assert figures["second_choice"] is None


def test_a_file_without_probabilities_cannot_be_asked_again_and_that_is_said(tmp_path):
    """Labels alone: what it calls verge counts as wrong."""
    from tests.builders import threshold_model

    path = threshold_model(tmp_path / "labels.onnx", *SIZE, described=False)
    path.with_suffix(".toml").write_text(
        'name = "labels"\nheight = 48\nwidth = 64\nclasses = [{name = "road", color = [1, 2, 3]},'
        ' {name = "verge", color = [1, 2, 3]}, {name = "sky", color = [1, 2, 3]}]\n'
    )
    grey = np.repeat(np.repeat(np.uint8([30, 128, 220, 220]), 16)[None], SIZE[0], 0)
    for part, array in (("pictures", np.dstack([grey] * 3)), ("masks", columns(0, 0, 2, 2))):
        (tmp_path / "data" / part).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "data" / part / "a.png"), array)
    (tmp_path / "data" / "classes.toml").write_text('[labels]\n0 = "road"\n2 = "sky"\n')
    figures = json.loads(evaluate(path, tmp_path / "data", "--json"))
    assert figures["second_choice"] == {"classes": ["verge"], "known": False}
    assert figures["iou"] == {"road": 0.5, "sky": 1}
    assert figures["calibration_error"] == {"labels": None, "road": None}
    assert "count as wrong, as this file tells no probabilities" in evaluate(path, tmp_path / "data")


@pytest.mark.parametrize("kind", ["inside", "logits", "probabilities"])
def test_the_calibration_error_is_that_of_the_probabilities_worked_out(kind, tmp_path):
    """Of a file with logits inside, of one that gives logits and of one that gives probabilities."""
    classes = CLASSES[:3]
    path = tmp_path / "model.onnx"
    if kind == "inside":
        color_model(path, classes, 30000)
    else:
        foreign_color_model(path, classes, 30000, probabilities=kind == "probabilities")
    random = np.random.default_rng(5)
    block = np.repeat(np.repeat(random.integers(0, 256, (6, 8, 3), np.uint8), 8, 0), 8, 1)
    picture = cv2.GaussianBlur(block, (0, 0), 3)
    mask = random.integers(0, 3, SIZE).astype(np.uint8)
    for part, array in (("pictures", picture), ("masks", mask)):
        (tmp_path / "data" / part).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "data" / part / "a.png"), array)
    (tmp_path / "data" / "classes.toml").write_text(LABELS)
    if kind == "inside":
        small = picture.astype(np.float32).reshape(24, 2, 32, 2, 3).mean((1, 3))
        logits = cv2.resize(color_logits(small, classes, 30000), SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    else:
        logits = color_logits(picture, classes, 30000)
    shares = softmax(logits)
    sure, right = shares.max(-1).ravel(), (shares.argmax(-1) == mask).ravel()
    bins = np.ceil(np.rint(sure * 255) / 17).astype(int)
    expected = sum(
        (bins == each).mean() * abs(right[bins == each].mean() - sure[bins == each].mean()) for each in np.unique(bins)
    )
    errors = json.loads(evaluate(path, tmp_path / "data", "--json"))["calibration_error"]
    assert errors["labels"] == pytest.approx(expected, abs=0.004)
    assert errors["labels"] > 0.1, "labels of chance: a model that is sure is wrong"
    assert 0 < errors["road"] < 1


def test_probabilities_that_come_true_have_no_calibration_error():
    """Of pixels said to be right in 153 of 255 cases 60 % are; sure ones always; without pixels nothing is known."""
    right, wrong = np.zeros(256, np.int64), np.zeros(256, np.int64)
    assert np.isnan(expected_calibration_error(right, wrong))
    right[153], wrong[153], right[255] = 600, 400, 50
    assert expected_calibration_error(right, wrong) == pytest.approx(0, abs=1e-12)
    wrong[255] = 50
    assert expected_calibration_error(right, wrong) == pytest.approx(50 / 1100)


def test_an_exported_file_is_asked_again_through_the_logits_inside_it(own, tmp_path):
    """Off the borders, where half-size logits are mixed, the verge is tree again; without that tree had half."""
    mask = columns(SKY, ROAD, TREE, TREE)
    mask[:, [0, 14, 15, 16, 17, 30, 31, 32, 33, 46, 47, 48, 49]] = 255
    write_folder(tmp_path / "eleven", {"a": (columns(SKY, ROAD, VERGE, TREE), mask)})
    assert json.loads(evaluate(own, tmp_path / "eleven", "--json"))["iou"] == {"road": 1, "sky": 1, "tree": 1}


def test_road_thresholds_are_known_for_a_file_with_its_logits_inside(own, streets):
    """MaxF and AP, which a file of many classes with labels alone cannot have."""
    road = json.loads(evaluate(own, streets, "--json"))["road"]
    assert road["max_f"]["f1"] >= road["labels"]["f1"]
    assert 0 < road["average_precision"] <= 1

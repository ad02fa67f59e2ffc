"""`python -m train pseudo-labels` with tiny real models: ONNX of two forms and OpenVINO IR."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from streamseg.backends.openvino import openvino_library
from streamseg.errors import ModelError, UsageError
from streamseg.spec import ModelSpec, SegmentClass
from tests.builders import threshold_model, write_clip
from tests.segmenters import SIZE, color_logits, color_model, foreign_color_model, painted, softmax
from train.classes import ROAD_SCENE_CLASSES
from train.commands import pseudo_labels
from train.datasets import open_dataset
from train.segmenters import open_segmenter
from train.soft_targets import SoftTarget, read_names, read_soft, soft_target, write_soft
from train.sure_rule import default_rule, read_rule

SCENE = (
    SegmentClass(0, "sky", (70, 170, 250)),
    SegmentClass(1, "road", (140, 60, 160)),
    SegmentClass(2, "tree", (60, 160, 50)),
)
DRIVABLE = (SegmentClass(0, "not drivable", (60, 160, 50)), SegmentClass(1, "drivable", (140, 60, 160)))
SURE, VAGUE = 3000.0, 60000.0


def run(*arguments: object) -> str:
    """What the command prints; its own errors come out as they are raised."""
    done = CliRunner().invoke(pseudo_labels.main, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """The same classes in this project's form, another's road in ONNX, and the same again as OpenVINO IR."""
    folder = tmp_path_factory.mktemp("models")
    own = color_model(folder / "own.onnx", SCENE, SURE)
    wide = foreign_color_model(folder / "wide.onnx", DRIVABLE, SURE)
    openvino = openvino_library()
    openvino.save_model(openvino.Core().read_model(str(wide)), str(folder / "ir.xml"), compress_to_fp16=False)
    (folder / "ir.toml").write_text(wide.with_suffix(".toml").read_text())
    return {"own": own, "wide": wide, "ir": folder / "ir.xml"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """`street`, half road half tree; `hill`, with a strip between the two colours; `wood`, all tree."""
    folder = tmp_path_factory.mktemp("pictures")
    street = np.repeat(np.repeat(np.uint8([1, 1, 2, 2]), 16)[None], SIZE[0], 0)
    hill = painted(street, SCENE)
    hill[:, 24:40] = (painted(np.uint8([[1]]), SCENE) // 2 + painted(np.uint8([[2]]), SCENE) // 2)[0, 0]
    for name, picture in {
        "street": painted(street, SCENE),
        "hill": hill,
        "wood": painted(street * 0 + 2, SCENE),
    }.items():
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return folder


def test_pixels_that_all_are_sure_of_become_masks_of_a_data_set(models, pictures, tmp_path):
    """Road where every model says so, not road where none does, 255 between; the folder can be trained on as it is."""
    said = run(
        *models.values(), "--source", pictures, "--out", tmp_path / "out", "--rule", "train/rules/all_agree.toml"
    )
    mask = cv2.imread(str(tmp_path / "out/masks/street.png"), cv2.IMREAD_UNCHANGED)
    assert (mask[:, :28] == 1).all() and (mask[:, 36:] == 0).all()
    assert not (tmp_path / "out/masks/wood.png").exists(), "no road in it: the rule keeps pictures with 5 % at least"
    assert not (tmp_path / "out/masks/hill.png").exists(), "nobody is sure of a quarter of it"
    data = open_dataset("folder", tmp_path / "out", ROAD_SCENE_CLASSES)
    assert data.names == ["street"]
    assert data.label_sets[1] == {3}
    assert data.label_sets[0] == frozenset(range(12)) - {3}
    assert "1 of 3 pictures kept" in said


def test_the_table_has_a_line_for_every_picture_looked_at(models, pictures, tmp_path):
    """What was sure, what of it is road, how far each two models agree."""
    run(models["own"], models["wide"], "--source", pictures, "--out", tmp_path)
    heading, *rows = [line.split("\t") for line in (tmp_path / "agreement.tsv").read_text().splitlines()]
    table = {row[0]: dict(zip(heading, row, strict=True)) for row in rows}
    assert heading == ["picture", "kept", "sure", "label 1", "label 0", "model1~model2"]
    assert {name: row["kept"] for name, row in table.items()} == {"hill": "no", "street": "yes", "wood": "no"}
    assert float(table["wood"]["label 0"]) == 1
    assert float(table["street"]["label 1"]) == pytest.approx(0.5, abs=0.04)
    assert float(table["hill"]["sure"]) < 0.8
    assert float(table["street"]["model1~model2"]) > 0.98


def test_of_a_clip_every_nth_frame_is_taken(models, tmp_path):
    """Named by the clip and the frame's number."""
    clip = write_clip(tmp_path / "drive.mp4", frames=9, size=SIZE)
    (tmp_path / "rule.toml").write_text(
        '[[labels]]\nvalue = 4\nmeans = ["road", "tree"]\nclasses = ["road", "tree"]\nabove = [{all = 0.0}]\n'
    )
    run(models["own"], "--source", clip, "--every", 4, "--out", tmp_path / "out", "--rule", tmp_path / "rule.toml")
    names = sorted(path.stem for path in (tmp_path / "out/pictures").iterdir())
    assert names == ["drive_000000", "drive_000004", "drive_000008"]
    data = open_dataset("folder", tmp_path / "out", ROAD_SCENE_CLASSES)
    assert data.label_sets == {4: frozenset({3, 5})}
    assert set(np.unique(data.load(0)[1])) == {4}


def test_a_picture_is_averaged_with_its_mirror_image(tmp_path):
    """A model that sees road on the left only says half of it on both sides."""
    left = tmp_path / "colors.onnx"
    foreign_color_model(left, DRIVABLE, SURE)
    segmenter = open_segmenter(left)
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    one, other = (softmax(color_logits(each, DRIVABLE, SURE)) for each in (picture, picture[:, ::-1]))
    assert segmenter(picture) == pytest.approx((one + other[:, ::-1]) / 2, abs=1e-4)


def test_models_that_come_in_three_forms_say_the_same(models):
    """IR and ONNX are one network; this project's file, with two of three classes, another."""
    picture = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    assert open_segmenter(models["ir"])(picture) == pytest.approx(open_segmenter(models["wide"])(picture), abs=1e-3)
    assert open_segmenter(models["own"]).classes == ("sky", "road", "tree")


def test_soft_targets_hold_the_two_most_probable_classes_at_a_quarter_of_the_size(models, pictures, tmp_path):
    """Read back they are the probabilities, to a 255th, with the rest in equal parts for the others."""
    run(models["own"], models["wide"], "--source", pictures, "--out", tmp_path, "--soft")
    assert read_names(tmp_path / "soft") == ["sky", "road", "tree"]
    target = read_soft(tmp_path / "soft/street.png")
    assert target.classes.shape == (SIZE[0] // 4, SIZE[1] // 4, 2)
    picture = cv2.imread(str(pictures / "street.png"))
    whole = open_segmenter(models["own"])(picture)
    small = cv2.resize(whole, (SIZE[1] // 4, SIZE[0] // 4), interpolation=cv2.INTER_AREA)
    assert target.probabilities(3) == pytest.approx(small, abs=0.006)
    assert target.probabilities(3).sum(-1) == pytest.approx(1, abs=1e-5)
    assert (target.classes[..., 0] == small.argmax(-1)).all()


def test_soft_targets_of_any_probabilities_survive_their_file(tmp_path):
    """What is left over is spread; an id beyond the model's classes is refused; so is another picture."""
    random = np.random.default_rng(2)
    probabilities = softmax(random.normal(size=(16, 20, 5)) * 2).astype(np.float32)
    target = soft_target(probabilities)
    write_soft(tmp_path / "a.png", target)
    read = read_soft(tmp_path / "a.png")
    assert np.array_equal(read.classes, target.classes) and np.array_equal(read.shares, target.shares)
    full = read.probabilities(5)
    others = np.sort(full, -1)[..., :3]
    assert np.abs(others - others.mean(-1, keepdims=True)).max() < 1e-6
    with pytest.raises(UsageError, match="the model 3 classes; make it again"):
        SoftTarget(np.full((1, 1, 2), 4, np.uint8), np.zeros((1, 1, 2), np.uint8)).probabilities(3)
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UsageError, match=r"b\.png: not a soft target"):
        read_soft(tmp_path / "b.png")


def test_the_rule_for_three_road_networks_is_the_one_described():
    """Every combination of what three models may say, against the rule written out in Python."""
    rule = default_rule(3)
    levels = np.float32([0.1, 0.29, 0.31, 0.49, 0.51, 0.69, 0.71, 0.95])
    own, wide, precise = (each.ravel() for each in np.meshgrid(levels, levels, levels))
    said = dict(zip(rule.names(3), (each[None] for each in (own, wide, precise)), strict=True))
    road = ((own > 0.7) & (wide > 0.7)) | ((precise > 0.7) & (np.maximum(own, wide) > 0.5))
    none = np.maximum(np.maximum(own, wide), precise) < 0.3
    assert np.array_equal(rule.mask([said, said])[0], np.where(road, 1, np.where(none, 0, 255)))
    assert default_rule(2).models is None


RULE = '[[labels]]\nvalue = 1\nmeans = "road"\nclasses = ["road"]\nabove = [{all = 0.5}]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected at least one table \[\[labels\]\]"),
        ("[labels", "not TOML"),
        (RULE.replace("value = 1", "value = 255"), r"the value of a label must be 0\.\.254, got 255"),
        (RULE.replace("all = 0.5", "all = 50"), "label 1: expected a number from 0 to 1, got 50"),
        (RULE.replace("all = 0.5", "first = 0.5"), "no model is called 'first'; there are all"),
        (RULE.replace("above", "over"), "unknown field 'over'"),
        (RULE.replace('["road"]', '"road"'), "classes must be a list of names, got 'road'"),
        (RULE + RULE, "two labels have one value"),
        ('[[labels]]\nvalue = 1\nmeans = "road"\nclasses = ["road"]\n', "give conditions in above or below"),
        (RULE + "[keep]\nsure = true\n", "keep: expected a number from 0 to 1, got True"),
    ],
)
def test_a_rule_that_is_none_says_what_was_expected(tmp_path, text, message):
    """In one line, before any model runs."""
    (tmp_path / "rule.toml").write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_rule(tmp_path / "rule.toml")
    assert "\n" not in str(caught.value)


def test_mistakes_are_said_before_anything_is_written(models, pictures, tmp_path):
    """A wrong number of models, a model of labels alone, none of the classes, a folder with something in it."""
    out = tmp_path / "out"
    words = ("--source", pictures, "--out", out)
    with pytest.raises(UsageError, match=r"the rule is for 3 models \(own, wide, precise, in this order\), got 1"):
        run(models["own"], *words, "--rule", "train/rules/three_road_networks.toml")
    labels = threshold_model(tmp_path / "labels.onnx", *SIZE)
    with pytest.raises(ModelError, match="gives labels and no probabilities"):
        run(labels, *words)
    animals = color_model(
        tmp_path / "animals.onnx", (SegmentClass(0, "cat", (1, 2, 3)), SegmentClass(1, "dog", (9, 9, 9)))
    )
    with pytest.raises(UsageError, match=r"animals\.onnx knows none of the classes road, mark, drivable"):
        run(animals, *words)
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").touch()
    with pytest.raises(UsageError, match="holds something already; give a new folder"):
        run(models["own"], *words)


PAGE = Path(__file__).parents[2] / "docs" / "pseudo-labels.md"


def blocks(language: str) -> list[str]:
    """The page's fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)


def test_the_rule_and_the_descriptions_on_the_page_are_real():
    """The rule is the one that comes with the project, and the examples describe models."""
    rule, *descriptions = blocks("toml")
    kept = Path("train/rules/three_road_networks.toml").read_text("utf-8")
    assert tomllib.loads(rule) == tomllib.loads(kept)
    described = [ModelSpec.from_toml(text) for text in descriptions]
    assert [each.name for each in described] == ["road-segmentation-adas-0001", "twinlitenet"]


def test_the_example_on_the_page_runs(tmp_path):
    """As it stands, from a checkout."""
    (code,) = blocks("py")
    environment = {**os.environ, "PYTHONPATH": str(PAGE.parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(8, 16, 2) [0.7 0.2 0.1]\n"

"""`python -m train.evaluate` on a small real model file and a folder of pictures, and on a training."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from streamseg.backends import DEFAULT_MODEL
from streamseg.errors import SinkError, UsageError
from streamseg.spec import ModelSpec, SegmentClass, TensorRules
from tests.builders import save_model, threshold_model
from train.architectures import build
from train.classes import ids
from train.evaluate import main
from train.fcn8s import enlarged
from train.predictors import keras_predictor
from train.run_folder import RunFolder
from train.worst import TILE

pytestmark = pytest.mark.training

SIZE = (48, 64)
DARK, MIDDLE, BRIGHT = 30, 128, 220
DESCRIPTION = """
name = "brightness"
height = 48
width = 64
classes = [
    {name = "road", color = [150, 70, 160]},
    {name = "pavement", color = [245, 80, 220]},
    {name = "sky", color = [70, 170, 255]},
]
"""
ROAD_OR_NOT = (SegmentClass(0, "not road", (90, 90, 90)), SegmentClass(1, "road", (60, 220, 90)))

CONFIG = """
from train.config import Experiment, Share
from streamseg.spec import SegmentClass

EXPERIMENT = Experiment(
    name="road",
    shares=(Share("synthetic"),),
    classes=(SegmentClass(0, "not road", (90, 90, 90)), SegmentClass(1, "road", (60, 220, 90))),
    options={"widths": (16, 16, 16)},
    size=(64, 96),
)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Calls what is dark road, what is bright sky, and pavement what is between."""
    path = threshold_model(tmp_path_factory.mktemp("model") / "brightness.onnx", *SIZE, described=False)
    path.with_suffix(".toml").write_text(DESCRIPTION)
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A data root with a folder `mine` of four pictures; a good, b with errors, c all wrong, d all void."""
    root = tmp_path_factory.mktemp("data")
    for part in ("pictures", "masks"):
        (root / "mine" / part).mkdir(parents=True)
    random = np.random.default_rng(0)
    right = np.repeat(np.array([[0] * 24 + [1] * 20 + [2] * 20], np.uint8), SIZE[0], 0)
    errors = np.where(random.random(SIZE) < 0.3, random.integers(0, 3, SIZE), right)
    for name, labels in {"a": right, "b": errors, "c": (right + 1) % 3, "d": np.full(SIZE, 255)}.items():
        grey = np.array([DARK, MIDDLE, BRIGHT], np.uint8)[right]
        cv2.imwrite(str(root / "mine" / "pictures" / f"{name}.png"), np.repeat(grey[..., None], 3, 2))
        cv2.imwrite(str(root / "mine" / "masks" / f"{name}.png"), labels.astype(np.uint8))
    (root / "mine" / "classes.toml").write_text('[labels]\n0 = "road"\n1 = "pavement"\n2 = "sky"\n')
    return root


def evaluate(model, root, *arguments) -> str:
    """What the command prints."""
    words = [str(model), "folder", "--data", str(root), "--option", "folder=mine", *map(str, arguments)]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def pairs(root, names="abc"):
    """All labels of the pictures named, and what the model says of every one of them."""
    true = [cv2.imread(str(root / "mine" / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in names]
    predicted = np.repeat(np.array([[0] * 24 + [1] * 20 + [2] * 20]), SIZE[0], 0)
    return np.concatenate([each.ravel() for each in true]), np.tile(predicted.ravel(), len(names))


def test_the_figures_of_a_model_file_are_those_of_scikit_learn(model, root):
    """IoU of each class, their mean, accuracy and every cell of the confusion; void is left out."""
    figures = json.loads(evaluate(model, root, "--json"))
    true, predicted = pairs(root)
    iou = jaccard_score(true, predicted, average=None)
    assert list(figures["iou"]) == ["road", "pavement", "sky"]
    assert list(figures["iou"].values()) == pytest.approx(iou, abs=1e-4)
    assert figures["mean_iou"] == pytest.approx(iou.mean(), abs=1e-4)
    assert figures["accuracy"] == pytest.approx(accuracy_score(true, predicted), abs=1e-4)
    assert figures["confusion"]["pixels"] == confusion_matrix(true, predicted).tolist()
    assert figures["confusion"]["true"] == [["road"], ["pavement"], ["sky"]]
    assert (figures["pictures"], figures["compared_at"]) == (4, None)


def test_a_file_of_labels_gets_its_labels_measured_as_road_and_says_what_it_lacks(model, root):
    """F1 and its parts, in image space; MaxF and AP need a probability."""
    true, predicted = pairs(root)
    tn, fp, fn, tp = confusion_matrix(true == 0, predicted == 0).ravel()
    road = json.loads(evaluate(model, root, "--json"))["road"]
    expected = {"f1": 2 * tp / (2 * tp + fp + fn), "precision": tp / (tp + fp), "recall": tp / (tp + fn)}
    assert road["labels"] == pytest.approx(expected | {"fpr": fp / (fp + tn), "fnr": fn / (fn + tp)}, abs=1e-4)
    assert (road["max_f"], road["average_precision"]) == (None, None)
    printed = evaluate(model, root)
    assert "in image space" in printed and "bird's eye view" in printed
    assert "MaxF and AP need the road's probability" in printed and "--confidence" in printed


def test_the_table_has_a_line_for_each_class_and_measure(model, root):
    """As the model card has them."""
    words = [line.split() for line in evaluate(model, root).splitlines()]
    figures = json.loads(evaluate(model, root, "--json"))
    for name, value in figures["iou"].items():
        assert [name, f"{value:.4f}"] in words
    assert ["mean", "IoU", f"{figures['mean_iou']:.4f}"] in words
    assert ["accuracy", f"{figures['accuracy']:.4f}"] in words


def test_the_pictures_can_be_some_of_them(model, root, tmp_path):
    """By number, spread evenly, or by a list of names; each picture's own score on request."""
    first_and_last = json.loads(evaluate(model, root, "--json", "--per-picture", "--count", 2))
    scores = {name: each["score"] for name, each in first_and_last["per_picture"].items()}
    assert scores == {"a": 1.0, "d": None}
    (tmp_path / "list.txt").write_text("c\nb\n")
    listed = json.loads(evaluate(model, root, "--json", "--per-picture", "--samples", tmp_path / "list.txt"))
    assert list(listed["per_picture"]) == ["c", "b"]
    assert listed["per_picture"]["c"] == {"score": 0, "group": None, "road": 0}
    assert "per_picture" not in json.loads(evaluate(model, root, "--json"))


def test_clahe_can_be_switched_on_for_a_model_trained_without(model, root, tmp_path):
    """The same labels on pictures of little contrast, other answers."""
    random = np.random.default_rng(0)
    dull = np.repeat(random.integers(75, 95, (*SIZE, 1), np.uint8), 3, 2)
    for part, array in (("pictures", dull), ("masks", np.zeros(SIZE, np.uint8))):
        (tmp_path / "mine" / part).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "mine" / part / "dull.png"), array)
    (tmp_path / "mine" / "classes.toml").write_text('[labels]\n0 = "road"\n')
    accuracy = {
        mode: json.loads(evaluate(model, tmp_path, "--json", "--clahe", mode))["accuracy"]
        for mode in ("auto", "off", "on")
    }
    assert accuracy["auto"] == accuracy["off"] != accuracy["on"]


def test_the_worst_pictures_are_drawn_worst_first_with_their_errors_in_red(model, root, tmp_path):
    """Two rows of four; all of c is wrong, about a fifth of b; the rest is not shown."""
    evaluate(model, root, "--worst", tmp_path / "worst.png", "--worst-count", 2)
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    height, width = TILE
    assert sheet.shape[1] == 4 * width
    rows = [sheet[top : top + height, 3 * width :].astype(int) for top in (0, height + 22)]
    red = [np.mean(row[..., 2] > row[..., 1] + 60) for row in rows]
    assert red[0] > 0.99
    assert 0.1 < red[1] < 0.4


def test_the_confusion_is_drawn(model, root, tmp_path):
    """A picture of some size, dark where most was predicted."""
    evaluate(model, root, "--count", 1, "--confusion", tmp_path / "new" / "confusion.png")
    picture = cv2.imread(str(tmp_path / "new" / "confusion.png"))
    assert min(picture.shape[:2]) > 200
    assert (picture.min(2) < 60).mean() > 0.02


def test_vague_labels_are_rows_named_by_their_classes(model, root, tmp_path):
    """Road or pavement; the picture of it is drawn too."""
    (tmp_path / "mine").mkdir()
    for part in ("pictures", "masks"):
        (tmp_path / "mine" / part).symlink_to(root / "mine" / part)
    (tmp_path / "mine" / "classes.toml").write_text('[labels]\n0 = ["road", "pavement"]\n1 = []\n2 = "sky"\n')
    figures = json.loads(evaluate(model, tmp_path, "--json", "--confusion", tmp_path / "confusion.png"))
    assert figures["confusion"]["true"] == [["road", "pavement"], ["sky"]]
    assert list(figures["iou"]) == ["sky"]
    assert (tmp_path / "confusion.png").is_file()


def test_a_picture_that_cannot_be_written_is_said(model, root, tmp_path):
    """The figures were printed before."""
    with pytest.raises(SinkError, match="cannot write this picture"):
        evaluate(model, root, "--count", 1, "--confusion", tmp_path / "confusion.text")


def test_to_a_model_of_road_and_not_road_everything_else_is_not_road():
    """So that it can be scored on any data set; a name that no road scene has is still a mistake."""
    assert ids(ROAD_OR_NOT, "road") == {1}
    assert ids(ROAD_OR_NOT, "sky", "car", "ego vehicle") == {0}
    with pytest.raises(UsageError, match="the class 'raod', the model does not; its classes are: not road, road"):
        ids(ROAD_OR_NOT, "raod")
    with pytest.raises(UsageError, match="'sky'"):
        ids((SegmentClass(0, "road", (1, 2, 3)), SegmentClass(1, "other", (1, 2, 3))), "sky")


@pytest.fixture(scope="module")
def road_run(tmp_path_factory) -> RunFolder:
    """The folder of a training that never ran: road against not road, random weights."""
    import keras

    folder = tmp_path_factory.mktemp("road")
    (folder / "road.py").write_text(CONFIG)
    run = RunFolder(folder / "run")
    run.start(folder / "road.py", {})
    keras.utils.set_random_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Keras' own, while it saves
        run.save_best(build(run.experiment(), (64, 96)))
    return run


def test_a_training_tells_the_probability_of_a_class(road_run):
    """The softmax of its logits, and the labels are where it is the largest."""
    import keras

    network = road_run.network()
    predict = keras_predictor(road_run.experiment(), network)
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    prediction = predict.predict(picture)
    logits = np.asarray(enlarged(keras.ops.convert_to_tensor(network.predict_on_batch(picture[None])), 4))[0]
    expected = 1 / (1 + np.exp(logits[..., 0] - logits[..., 1]))
    assert np.abs(prediction.probability(1) - 255 * expected).max() <= 0.51
    assert np.array_equal(prediction.labels, logits.argmax(-1))
    assert np.array_equal(predict(picture), prediction.labels)
    assert 0 < prediction.labels.mean() < 1


def test_a_training_is_scored_with_probabilities_on_data_that_knows_more_classes(road_run):
    """Eleven classes are two rows; MaxF is what the labels have or better, and AP is there."""
    words = [str(road_run.path), "synthetic-unseen", "--count", "2"]
    figures = json.loads(CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False).stdout)
    road = figures["road"]
    assert set(figures["iou"]) == {"not road", "road"}
    assert figures["confusion"]["true"] == [["not road"], ["road"]]
    assert road["max_f"]["f1"] >= road["labels"]["f1"]
    assert road["max_f"]["recall"] == pytest.approx(1 - road["max_f"]["fnr"], abs=1e-3)
    assert 0 <= road["max_f"]["threshold"] <= 1
    assert 0 < road["average_precision"] < 1
    printed = CliRunner().invoke(main, words, catch_exceptions=False).stdout.splitlines()
    assert [line.split()[0] for line in printed[-3:]] == ["labels", "MaxF", "AP"]


def test_a_file_of_two_classes_with_confidence_has_its_road_measured_over_thresholds(tmp_path):
    """What wins with confidence c leaves 1 - c for the other: here the road's probability is the grey value."""
    path = confident_model(tmp_path / "confident.onnx")
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (SIZE[0], 1))
    for part, array in (("pictures", np.repeat(grey[..., None], 3, 2)), ("masks", (grey >= 100).astype(np.uint8))):
        (tmp_path / "mine" / part).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "mine" / part / "ramp.png"), array)
    (tmp_path / "mine" / "classes.toml").write_text('[labels]\n0 = "not road"\n1 = "road"\n')
    road = json.loads(evaluate(path, tmp_path, "--json"))["road"]
    assert road["labels"]["recall"] == pytest.approx(32 / 39, abs=1e-4)
    assert road["average_precision"] == 1
    assert road["max_f"]["f1"] == 1
    assert 97 / 255 - 1e-4 <= road["max_f"]["threshold"] <= 100 / 255 + 1e-4


def confident_model(path: Path) -> Path:
    """Road where the picture is brighter than 127.5; confidence is the grey value, or what it lacks to white."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["frames"], ["values"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["values"], ["road"], axes=[3], keepdims=0),
            helper.make_node("Sub", ["white", "road"], ["other"]),
            helper.make_node("Greater", ["road", "other"], ["is_road"]),
            helper.make_node("Max", ["road", "other"], ["winner"]),
            helper.make_node("Cast", ["is_road"], ["labels"], to=TensorProto.UINT8),
            helper.make_node("Cast", ["winner"], ["confidence"], to=TensorProto.UINT8),
        ],
        "confident",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", *SIZE, 3])],
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", *SIZE]) for name in ("labels", "confidence")],
        [numpy_helper.from_array(np.float32(255), "white")],
    )
    spec = ModelSpec("confident", *SIZE, ROAD_OR_NOT, tensors=TensorRules(output_name="labels"))
    return save_model(graph, path, spec.to_json())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.onnx", "synthetic"], "model 'nothing.onnx' does not exist; give an .onnx file"),
        (["docs", "synthetic"], "docs: not a training's folder (no experiment.json in it); give runs/NAME"),
        (["MODEL", "folder", "--option", "speed=3"], "--option 'speed' is none of folder's, which are: folder; give"),
        ([DEFAULT_MODEL, "camvid-val", "--data", "nowhere"], "nowhere/camvid/val: folder not found"),
    ],
)
def test_mistakes_get_one_line(train_command, model, arguments, message):
    """No traceback reaches the person."""
    done = train_command(
        "train.evaluate", *(str(model) if each == "MODEL" else each for each in arguments), check=False
    )
    assert done.returncode in (2, 4)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_but_the_figures_is_written_where_there_is_no_terminal(train_command, model, root):
    """No progress bar in a log."""
    done = train_command("train.evaluate", model, "folder", "--data", root, "--option", "folder=mine")
    assert done.stderr == ""
    assert done.stdout.startswith("folder: 4 pictures, compared at each picture's own size\n")

"""A training from the inside, on a network of two convolutions: when it stops, what it resumes, what it refuses."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from streamseg.errors import UsageError
from streamseg.spec import SegmentClass
from tests.striped import CLASSES, register, striped_config
from train.architectures import ARCHITECTURES, build
from train.config import Experiment, Share, load_config
from train.devices import OneDevice
from train.experiment_file import experiment_text
from train.fit import Training
from train.optimizer import schedule
from train.run_folder import BEST, CURVE, STATE, RunFolder
from train.start import load_start, take_over

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),  # Keras' save_weights, with NumPy 2.4
]


@dataclass
class Scripted:
    """Scores that a test decides."""

    mean_iou: float
    pixel_accuracy: float = 0.5
    iou: tuple[float, ...] = (0.5, 0.5)


@pytest.fixture
def training(tmp_path):
    """Makes a training of the smallest config in the folder `run`; `resume=True` goes on with it."""
    register()
    said: list[str] = []

    def make(resume: bool = False, **fields) -> Training:
        folder = RunFolder(tmp_path / "run")
        if not resume:
            folder.start(striped_config(tmp_path, **fields), {})
        made = Training(folder.experiment(), tmp_path, folder, OneDevice(), said.append)
        made.said = said
        if resume:
            made.resume()
        return made

    return make


@pytest.fixture
def scores(monkeypatch):
    """A list of the mean IoUs that the validations to come find."""
    coming: list[float] = []
    monkeypatch.setattr("train.fit.score", lambda *_: Scripted(coming.pop(0)))
    return coming


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / CURVE).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_training_ends_after_as_many_epochs_without_a_better_score_as_it_has_patience(training, scores, tmp_path):
    """Best after the second epoch, patience of two: no fifth epoch; and resuming does not go on."""
    scores += [0.2, 0.5, 0.4, 0.5, 0.9]
    whole = training(patience=2, epochs=6, steps_per_epoch=1)
    whole.run()
    assert [row["mean_iou"] for row in curve(tmp_path / "run")] == ["0.2", "0.5", "0.4", "0.5"]
    assert whole.said[-1] == "stopped early: no better mean IoU since epoch 2"
    training(resume=True).run()
    assert len(curve(tmp_path / "run")) == 4
    assert scores == [0.9]


def test_patience_counts_on_after_a_resume(training, scores, tmp_path):
    """Stopped by a kill while it was running out."""
    scores += [0.5, 0.4]
    killed = training(patience=3, epochs=9, steps_per_epoch=1)
    with pytest.raises(IndexError):  # nothing left to score: the third epoch never ends
        killed.run()
    scores += [0.3, 0.2, 0.9]
    training(resume=True).run()
    assert [row["mean_iou"] for row in curve(tmp_path / "run")] == ["0.5", "0.4", "0.3", "0.2"]


def test_epochs_between_scores_leave_gaps_and_the_last_one_is_scored(training, scores, tmp_path):
    """Best weights and patience look at scored epochs only; the curve is drawn with the gaps."""
    scores += [0.3, 0.2]
    training(validate_every=2, epochs=3, steps_per_epoch=1, pictures_every=0).run()
    assert [row["mean_iou"] for row in curve(tmp_path / "run")] == ["", "0.3", "0.2"]
    assert (tmp_path / "run" / "curve.png").stat().st_size > 5000
    assert not (tmp_path / "run" / "pictures").exists()
    assert RunFolder(tmp_path / "run").load_state()[1] == {"epoch": 3, "best": 0.3, "best_epoch": 2}


def test_without_an_average_the_live_weights_are_scored_and_saved(training, tmp_path):
    """No second copy of anything: the state has none, the judged model is the trained one."""
    made = training(average_decay=0, epochs=1)
    made.run()
    groups, _ = RunFolder(tmp_path / "run").load_state()
    assert "average" not in groups
    best = RunFolder(tmp_path / "run").network()
    for saved, live in zip(best.weights, made.model.weights, strict=True):
        assert np.array_equal(saved.numpy(), live.numpy())


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_float32_weights_and_resumes(training, tmp_path, precision):
    """Arithmetic in 16 bits, everything that is kept in 32, and the policy is Keras' own again afterwards."""
    made = training(precision=precision, epochs=2)
    made.run()
    assert keras.config.dtype_policy().name == "float32"
    assert made.model.get_layer("first").compute_dtype == precision.removeprefix("mixed_")
    assert {each.dtype for each in made.model.weights} == {"float32"}
    rows = curve(tmp_path / "run")
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    best = RunFolder(tmp_path / "run").network()
    assert best.get_layer("first").compute_dtype == "float32"
    again = training(resume=True)
    for ours, theirs in zip(again.optimizer.variables, made.optimizer.variables, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_steps_that_overflow_in_float16_are_left_out(training):
    """Loss scaling: the weights stay, the scale is halved, nothing becomes NaN."""
    made = training(precision="mixed_float16")
    before = made.model.get_layer("first").kernel.numpy()
    scale = float(made.optimizer.dynamic_scale)
    zeros = [keras.ops.full(each.shape, np.inf) for each in made.model.trainable_variables]
    made.optimizer.apply(zeros, made.model.trainable_variables)
    assert np.array_equal(made.model.get_layer("first").kernel.numpy(), before)
    assert float(made.optimizer.dynamic_scale) == scale / 2


def test_frozen_layers_keep_weights_and_statistics_and_the_others_learn(training, tmp_path):
    """Up to and with the layer named; a resumed training keeps them too."""
    fresh = training(frozen_to="norm", weight_decay=0.1)
    before = {layer.name: [w.numpy() for w in layer.weights] for layer in fresh.model.layers}
    fresh.run()
    after = {layer.name: [w.numpy() for w in layer.weights] for layer in fresh.model.layers}
    for name in ("first", "norm"):
        assert all(np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True)), name
    assert not np.array_equal(before["logits"][0], after["logits"][0])
    again = training(resume=True)
    assert not again.model.get_layer("norm").trainable
    assert np.array_equal(again.model.get_layer("logits").kernel.numpy(), after["logits"][0])


def test_a_training_can_start_from_another_ones_best_weights(training, tmp_path):
    """With the same architecture and classes; frozen layers as well."""
    training(epochs=1).run()
    best = RunFolder(tmp_path / "run").network()
    path = striped_config(tmp_path, start_from=str(tmp_path / "run"), frozen_to="first")
    folder = RunFolder(tmp_path / "next")
    folder.start(path, {})
    following = Training(folder.experiment(), tmp_path, folder, OneDevice(), [].append)
    for ours, theirs in zip(following.model.weights, best.weights, strict=True):
        assert np.array_equal(ours.numpy(), theirs.numpy())


def test_with_other_classes_all_but_the_last_layer_starts_with_the_weights(training, tmp_path):
    """No class's weights become another's, although both have as many; one by another usual name is the same."""
    training(epochs=1).run()
    theirs = RunFolder(tmp_path / "run").network()
    for names, kept in ((("sky", "sea"), False), (("street", "sky"), True)):
        classes = tuple(SegmentClass(place, name, (0, 0, 0)) for place, name in enumerate(names))
        experiment = replace(
            RunFolder(tmp_path / "run").experiment(), start_from=str(tmp_path / "run"), classes=classes
        )
        model = build(experiment, (64, 96))
        fresh = model.get_layer("logits").get_weights()[0]
        load_start(experiment, model, tmp_path, [].append)
        logits, before = (each.get_layer("logits").get_weights()[0] for each in (model, theirs))
        assert np.array_equal(model.get_layer("first").get_weights()[0], theirs.get_layer("first").get_weights()[0])
        assert np.array_equal(logits[..., 1], fresh[..., 1])
        assert np.array_equal(logits[..., 0], before[..., 1] if kept else fresh[..., 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "fcn8s-squeezenet"}, "no layer of .* fits one of fcn8s-squeezenet; start"),
    ],
)
def test_weights_of_another_network_are_refused_as_a_start(training, tmp_path, change, message):
    """In one line that names the folder and what differs."""
    training(epochs=1).run()
    experiment = replace(RunFolder(tmp_path / "run").experiment(), start_from=str(tmp_path / "run"), **change)
    with pytest.raises(UsageError, match=message):
        load_start(experiment, build(experiment, (64, 96)), tmp_path, [].append)


def test_layers_that_a_relative_has_too_start_with_its_weights(tmp_path):
    """By name and shapes, said with their number; the others stay as they were made."""
    relative = ARCHITECTURES["fcn8s-efficientnet-lite0"]((64, 96), 2, separable=True)
    model = ARCHITECTURES["fcn8s-efficientnet-lite0-fused"]((64, 96), 2, separable=False)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    taken = take_over(model, relative, tmp_path)
    theirs = {layer.name: layer for layer in relative.layers}
    for name in ("stem", "block7_depthwise", "logits"):
        assert np.array_equal(model.get_layer(name).get_weights()[0], theirs[name].get_weights()[0])
    for name in ("fused1", "smooth4"):  # not in the other, and of other shapes there
        assert np.array_equal(model.get_layer(name).get_weights()[0], before[name][0])
    fused, smooth = 8, 3  # convolutions and normalisations of two blocks; the decoder's full 3x3 convolutions
    assert taken == sum(bool(each) for each in before.values()) - fused - smooth


def test_a_network_with_more_classes_starts_with_what_an_earlier_one_knew_of_its_own(training, tmp_path):
    """The last layer's part of a class goes where the new network has that class; a new class begins as it was made."""
    training(epochs=1).run()
    best = RunFolder(tmp_path / "run").network()
    dark, road = (replace(each, id=place) for each, place in zip(CLASSES, (2, 0), strict=True))
    classes = (road, SegmentClass(1, "verge", (9, 9, 9)), dark)
    experiment = replace(RunFolder(tmp_path / "run").experiment(), start_from=str(tmp_path / "run"), classes=classes)
    model = build(experiment, (64, 96))
    before, said = model.layers[-1].get_weights(), []
    load_start(experiment, model, tmp_path, said.append)
    for ours, made, theirs in zip(model.layers[-1].get_weights(), before, best.layers[-1].get_weights(), strict=True):
        assert np.array_equal(ours[..., [2, 0]], theirs), "dark and road, where they are now"
        assert np.array_equal(ours[..., 1], made[..., 1])
    first = [one.get_layer("first").get_weights()[0] for one in (model, best)]
    assert np.array_equal(*first)
    assert said == [f"{tmp_path / 'run'}: 2 of 3 classes; 3 of 3 layers start with its weights"]


def test_a_class_can_begin_as_the_mean_of_others_and_goes_on_as_it_is_after_that(training, tmp_path):
    """Whoever goes on from a training that began it so keeps what was learned since."""
    training(epochs=1).run()
    best = RunFolder(tmp_path / "run").network().layers[-1].get_weights()
    classes = (*CLASSES, SegmentClass(2, "verge", (9, 9, 9)))
    names = (CLASSES[0].name, CLASSES[1].name)
    change = {"start_from": str(tmp_path / "run"), "classes": classes, "begins_as": {"verge": names}}
    experiment = replace(RunFolder(tmp_path / "run").experiment(), **change)
    model = build(experiment, (64, 96))
    load_start(experiment, model, tmp_path, [].append)
    for ours, theirs in zip(model.layers[-1].get_weights(), best, strict=True):
        assert np.allclose(ours[..., 2], theirs.mean(axis=-1))
    wrong = replace(experiment, begins_as={"verge": ("moon",)})
    with pytest.raises(UsageError, match="begins_as: the model has no class 'moon'; its classes are: "):
        load_start(wrong, model, tmp_path, [].append)


def test_the_best_epoch_is_that_of_the_highest_mean_over_all_validation_sets(training, tmp_path, scores):
    """0.9 and 0.1 are no better than 0.6 and 0.5; each set has its columns in the curve."""
    scores += [0.9, 0.1, 0.6, 0.5, 0.7, 0.3]
    also = (Share("striped", options={"count": 4}),)
    made = training(epochs=3, also_validated=also)
    made.run()
    _, numbers = RunFolder(tmp_path / "run").load_state()
    assert numbers["best_epoch"] == 2 and numbers["best"] == pytest.approx(0.55)
    assert [row["striped mean_iou"] for row in curve(tmp_path / "run")] == ["0.1", "0.5", "0.3"]
    assert [row["mean_iou"] for row in curve(tmp_path / "run")] == ["0.9", "0.6", "0.7"]


def rates(steps: list[int], **fields) -> list[float]:
    """The learning rates of a training of 10 epochs of 10 steps, by step."""
    experiment = Experiment("any", (Share("synthetic"),), epochs=10, steps_per_epoch=10, learning_rate=1.0, **fields)
    return [float(keras.ops.convert_to_numpy(schedule(experiment)(step))) for step in steps]


def test_the_learning_rate_rises_stays_and_falls_as_the_config_says():
    """A line from a hundredth, the highest rate, and half a cosine in the last part of the steps after the rise."""
    found = rates([0, 10, 20, 40, 60, 80, 100], warmup_steps=20, decay_share=0.5)
    assert found == pytest.approx([0.01, 0.505, 1.0, 1.0, 1.0, 0.5, 0.0], abs=1e-5)


def test_a_share_of_none_never_falls_and_of_all_falls_from_the_first_step():
    """The ends; the second is the usual cosine."""
    assert rates([20, 60, 99], warmup_steps=20, decay_share=0.0) == pytest.approx([1.0, 1.0, 1.0])
    assert rates([20, 60, 100], warmup_steps=20) == pytest.approx([1.0, 0.5, 0.0], abs=1e-5)
    assert rates([0, 50, 100], warmup_steps=0, decay_share=0.5) == pytest.approx([1.0, 1.0, 0.0], abs=1e-5)


def test_a_state_of_another_config_is_refused(training, tmp_path):
    """Another number of filters: the variable, both shapes and the way out."""
    training(epochs=1).run()
    other = experiment_text(load_config(striped_config(tmp_path, options={"filters": 5})))
    (tmp_path / "run" / "experiment.json").write_text(other)
    with pytest.raises(UsageError, match=r"state.npz: 'first/kernel' must be \(4, 4, 3, 5\), got \(4, 4, 3, 8\)"):
        training(resume=True)


def test_a_damaged_state_is_refused(training, tmp_path):
    """Cut short by a full disk elsewhere, say."""
    training(epochs=1).run()
    state = tmp_path / "run" / STATE
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(UsageError, match=r"state\.npz: damaged .* --start-from"):
        training(resume=True)


def test_a_loss_that_is_no_number_ends_the_training(training, tmp_path):
    """At once, with the way out; nothing of that epoch is kept."""
    with pytest.raises(UsageError, match=r"the loss became (nan|inf) in epoch 1; lower learning_rate"):
        training(learning_rate=1e38, clip_norm=1e38, warmup_steps=0).run()
    assert not (tmp_path / "run" / STATE).exists() and not (tmp_path / "run" / BEST).exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shares": ()}, "shares must name at least one data set, each with a weight above 0"),
        ({"architecture": "fcn8s-squeezenet", "crop": (40, 64)}, "multiples of 32, got 64x40; the nearest is 64x32"),
        ({"architecture": "unheard-of"}, "no architecture is called 'unheard-of'"),
        ({"frozen_to": "roof"}, "frozen_to: no layer is called 'roof'"),
        ({"loss_stride": 3}, "loss_stride must divide the network's stride 4, got 3"),
    ],
)
def test_a_config_that_does_not_fit_its_network_is_refused(training, fields, message):
    """Before the first step."""
    with pytest.raises(UsageError, match=message):
        training(**fields)


def test_the_validation_pictures_show_the_classes_over_the_pictures(training, tmp_path):
    """Every second epoch and the last, on one sheet; road is green, and what is not painted stays."""
    import cv2

    training(epochs=3, steps_per_epoch=20, pictures_every=2).run()
    sheets = sorted(path.name for path in (tmp_path / "run" / "pictures").iterdir())
    assert sheets == ["epoch_0002.png", "epoch_0003.png"]
    sheet = cv2.imread(str(tmp_path / "run" / "pictures" / "epoch_0003.png"))
    assert sheet.shape == (3 * (200 + 22), 2 * 400, 3)
    blue, green, red = (int(value) for value in sheet[:200, :400].reshape(-1, 3).max(0))
    assert green > red + 20 and green > blue + 20

"""Learning from a teacher: the loss by hand, what reaches the batches, and a training that follows."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from streamseg.errors import UsageError
from streamseg.spec import SegmentClass
from tests.segmenters import color_model
from tests.striped import CLASSES, Striped, register, striped_config
from train.augment import Augmentation
from train.commands import soft_targets as soft_targets_command
from train.config import Distillation, Experiment, Share, load_config
from train.devices import OneDevice
from train.distillation import distillation_loss, teacher_probabilities
from train.fit import Training
from train.label_sets import VOID_CODE
from train.loader import Loader
from train.run_folder import RunFolder
from train.soft_targets import SoftFolder, read_soft, soft_target, write_names, write_soft
from train.supervision import set_table
from train.targets import CHANNELS, CODE, SOFT

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),  # Keras' save_weights, with NumPy 2.4
]

NOTHING = (0, 0, 0, 0)


def plane(*pixels) -> np.ndarray:
    """A batch of one row of pixels."""
    return np.array([[pixels]], np.uint8)


def loss_of(soft, probabilities, temperature=1.0) -> float:
    logits = np.log(np.array([[probabilities]], np.float32))
    return float(distillation_loss(soft, logits, temperature))


def test_a_student_that_agrees_costs_nothing_and_another_the_divergence():
    """By hand: teacher 0.8, 0.2, 0 and student 0.5, 0.25, 0.25."""
    soft = plane((1, 204, 0, 51))
    assert loss_of(soft, [[0.2, 0.8, 1e-9]]) == pytest.approx(0, abs=1e-6)
    expected = 0.8 * np.log(0.8 / 0.5) + 0.2 * np.log(0.2 / 0.25)
    assert loss_of(soft, [[0.25, 0.5, 0.25]]) == pytest.approx(expected, abs=1e-5)


def test_a_temperature_softens_both_sides():
    """At T = 2 probabilities go as their square roots: 0.64, 0.36 becomes 0.8, 0.6 over 1.4; times T squared."""
    soft = plane((0, 163, 1, 92))  # of 255: 0.6392 and 0.3608
    teacher = np.sqrt([163 / 255, 92 / 255])
    teacher /= teacher.sum()
    expected = 4 * np.sum(teacher * np.log(teacher / 0.5))
    assert loss_of(soft, [[0.5, 0.5]], temperature=2.0) == pytest.approx(expected, abs=1e-5)


def test_pixels_of_which_the_teacher_says_nothing_are_left_out_of_the_mean():
    """Not counted as agreement either; where it says nothing at all the loss is 0."""
    alone = loss_of(plane((0, 255, 1, 0)), [[0.5, 0.5]])
    assert alone == pytest.approx(np.log(2), abs=1e-5)
    assert loss_of(plane((0, 255, 1, 0), NOTHING), [[0.5, 0.5], [0.01, 0.99]]) == pytest.approx(alone, abs=1e-6)
    assert loss_of(plane(NOTHING), [[0.5, 0.5]]) == 0


def test_the_loss_pulls_the_student_towards_its_teacher():
    """Descent raises what the teacher holds more probable than the student does, and lowers the rest."""
    logits = tf.Variable(np.zeros((1, 1, 2, 3), np.float32))
    with tf.GradientTape() as tape:
        cost = distillation_loss(plane((2, 200, 0, 50), NOTHING), logits, 2.0)
    gradient = tape.gradient(cost, logits).numpy()[0, 0]
    assert gradient[0, 2] < 0 < gradient[0, 1] and gradient[0, 0] > gradient[0, 2]
    assert not gradient[1].any()


def test_the_loss_reads_soft_targets_as_their_file_says():
    """Class for class what `SoftTarget.probabilities` has, for any probabilities."""
    said = np.random.default_rng(4).dirichlet(np.ones(5), (16, 24)).astype(np.float32)
    target = soft_target(said)
    ours = keras.ops.convert_to_numpy(teacher_probabilities(target.plane[None], 5))[0]
    assert np.abs(ours - target.probabilities(5)).max() < 1e-5


def test_soft_targets_move_with_the_picture_and_end_where_something_is_drawn(tmp_path):
    """Mirrored with it; nothing is said outside the picture, nor of a bonnet."""
    register()
    dataset = Striped(None, None)
    write_names(tmp_path, [each.name for each in CLASSES])
    files = SoftFolder(tmp_path, [each.name for each in CLASSES])
    shares = np.zeros((32, 64, 2), np.float32)
    shares[:, :32], shares[:, 32:] = (0.1, 0.9), (0.7, 0.3)
    for name in dataset.names[:-1]:
        write_soft(files.path("striped", name), soft_target(shares))
    experiment = Experiment(
        name="any",
        shares=(Share("striped"),),
        classes=CLASSES,
        size=(32, 64),
        batch=4,
        epochs=1,
        steps_per_epoch=8,
        augmentation=replace(Augmentation.none(), flip=1.0, scale=(0.8, 0.8), bonnet=1.0),
        distillation=Distillation(str(tmp_path)),
    )
    loader = Loader(experiment, [dataset], set_table(experiment, [dataset]))
    silent = 0
    for step in range(8):
        for _picture, targets in zip(*loader.batch(step), strict=True):
            assert targets.shape == (32, 64, CHANNELS) and targets.dtype == np.uint8
            said = targets[..., SOFT]
            silent += not said.any()
            if said.any():
                known, middle = said[..., 1] > 0, said[12][said[12, :, 1] > 0]
                assert not known[-1].any(), "under the bonnet"
                assert 0.1 < known.mean() <= 26 * 51 / (32 * 64), "0.8 of the crop each way"
                assert not known[targets[..., CODE] == VOID_CODE].any(), "outside the picture"
                assert middle[3].tolist() == [0, 178, 1, 76] and middle[-3].tolist() == [1, 230, 0, 26], "mirrored"
    assert silent == 4, "the one sample without a file, once in each round of eight"


def test_a_folder_of_other_classes_is_refused(tmp_path):
    """Ids would mean something else."""
    write_names(tmp_path, ["road", "dark"])
    with pytest.raises(UsageError, match=r"soft targets of the classes \['road', 'dark'\], the network's are \['dark'"):
        SoftFolder(tmp_path, [each.name for each in CLASSES])
    with pytest.raises(UsageError, match="cannot be read"):
        SoftFolder(tmp_path / "nowhere", ["a"])


def test_a_student_follows_its_teacher_where_labels_say_nothing(tmp_path):
    """The teacher says the labels' contrary, and is all that counts: the student learns the contrary."""
    register()
    dataset = Striped(None, None)
    names = [each.name for each in CLASSES]
    write_names(tmp_path / "soft", names)
    for index, name in enumerate(dataset.names):
        labels = dataset.load(index)[1]
        contrary = np.stack([labels, 1 - labels], -1).astype(np.float32)
        write_soft(SoftFolder(tmp_path / "soft", names).path("striped", name), soft_target(contrary))
    path = striped_config(tmp_path, epochs=6, steps_per_epoch=10, jaccard_weight=0.0, validation=None)
    folder = RunFolder(tmp_path / "run")
    folder.start(path, {})
    experiment = replace(
        load_config(path),
        augmentation=Augmentation.none(),
        distillation=Distillation(str(tmp_path / "soft"), weight=20.0, temperature=1.0),
    )
    training = Training(experiment, tmp_path, folder, OneDevice(), lambda _: None)
    before = agreement(training.model, dataset)
    training.run()
    assert agreement(training.model, dataset) < 0.3 and before > agreement(training.model, dataset)


def agreement(model, dataset) -> float:
    """Share of the places of which a network says what the labels say."""
    pictures, labels = zip(*[dataset.load(index) for index in range(len(dataset))], strict=True)
    said = np.asarray(model(np.stack(pictures).astype(np.float32), training=False)).argmax(-1)
    return float(np.mean(said == np.stack(labels)[:, 2::4, 2::4]))


def test_the_command_asks_once_for_every_picture_of_a_config(tmp_path):
    """One file a sample below its data set's name; those that are there are left alone."""
    register()
    path, teacher = striped_config(tmp_path), tmp_path / "teacher.onnx"
    color_model(teacher, CLASSES, 3000.0)
    arguments = [str(teacher), str(path), "--out", str(tmp_path / "soft"), "--data", str(tmp_path)]
    first = CliRunner().invoke(soft_targets_command.main, arguments, catch_exceptions=False)
    assert first.exit_code == 0 and "striped: 8 pictures" in first.output
    files = SoftFolder(tmp_path / "soft", [each.name for each in CLASSES])
    path_of_one = files.path("striped", "stripes 3")
    assert {each.name for each in files.path("striped", "").parent.glob("*.png")} == {
        f"stripes {i}.png" for i in range(8)
    }
    assert read_soft(path_of_one).classes.shape == (12, 16, 2), "a quarter of the teacher's input"
    path_of_one.write_bytes(b"kept")
    CliRunner().invoke(soft_targets_command.main, arguments, catch_exceptions=False)
    assert path_of_one.read_bytes() == b"kept"
    color_model(teacher, (CLASSES[0], SegmentClass(1, "sky", (9, 9, 9))), 3000.0)
    with pytest.raises(UsageError, match=r"teacher.onnx: its classes are \['dark', 'sky'\], those of .*'dark', 'road'"):
        CliRunner().invoke(soft_targets_command.main, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": 0}, "weight must be a number above 0, got 0"),
        ({"temperature": 0.5}, "temperature must be .* from 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    """In one line that names the field."""
    with pytest.raises(UsageError, match=f"distillation: {message}"):
        Distillation("soft", **settings)

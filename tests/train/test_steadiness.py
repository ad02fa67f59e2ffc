"""Pairs of frames: the loss by hand, what clips become, and a training that wavers less."""

from __future__ import annotations

from dataclasses import replace

import av
import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from streamseg.errors import UsageError
from streamseg.flow import Motion
from tests.striped import CLASSES, Striped, register, striped_config
from train.augment import Augmentation
from train.config import Experiment, Share, load_config
from train.datasets import open_dataset
from train.datasets.base import VOID
from train.datasets.frame_pairs import FramePairs
from train.devices import OneDevice
from train.fit import Training, check_shares
from train.label_sets import VOID_CODE
from train.loader import Loader, check_pairs, sampling_plan
from train.run_folder import RunFolder
from train.steadiness import steadiness_loss
from train.supervision import set_table
from train.targets import CHANNELS, CODE, MOTION, motion_plane

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:keras"),  # Keras' save_weights, with NumPy 2.4
]

SURE = 20.0  # a logit whose probability is 1 to eight places


def moved_by(columns, rows, size=(4, 6)) -> np.ndarray:
    """Motion of a pair, everywhere the same and sure: (2, h, w, 2)."""
    plane = np.zeros((2, *size, 2), np.uint8)
    plane[1] = 128 + columns, 128 + rows
    return plane


def one_hot_logits(labels) -> np.ndarray:
    return (np.eye(2, dtype=np.float32)[np.asarray(labels)] * SURE).astype(np.float32)


def loss(motion, logits, stride=1) -> float:
    return float(keras.ops.convert_to_numpy(steadiness_loss(motion, logits, stride)))


def test_labels_that_move_with_the_picture_cost_nothing_and_others_their_share():
    """All moved one column to the right and one row down: 15 of 24 pixels have a place that they came from."""
    before = np.random.default_rng(0).integers(0, 2, (4, 6))
    after = np.roll(before, (1, 1), (0, 1))
    assert loss(moved_by(-1, -1), one_hot_logits([before, after])) == pytest.approx(0, abs=1e-6)
    after[2, 3] = 1 - after[2, 3]
    assert loss(moved_by(-1, -1), one_hot_logits([before, after])) == pytest.approx(2 / 15, abs=1e-5)


def test_a_stride_divides_the_motion():
    """Logits at half the size of the frames move half as far."""
    before = np.random.default_rng(0).integers(0, 2, (4, 6))
    after = np.roll(before, 1, 1)
    assert loss(moved_by(-2, 0), one_hot_logits([before, after]), stride=2) == pytest.approx(0, abs=1e-6)
    assert loss(moved_by(-2, 0), one_hot_logits([before, after])) > 0.1


def test_samples_that_are_no_pair_and_motion_that_is_not_sure_count_nothing():
    """A mean over what is known; 0 where nothing is."""
    zeros, ones = np.zeros((4, 6), int), np.ones((4, 6), int)
    pair = one_hot_logits([zeros, ones])
    assert loss(np.zeros((2, 4, 6, 2), np.uint8), pair) == 0
    both = np.concatenate([moved_by(0, 0), np.zeros((2, 4, 6, 2), np.uint8)])
    assert loss(both, np.concatenate([pair, pair])) == pytest.approx(2, abs=1e-5)


def test_both_frames_are_pulled_towards_each_other():
    """Descent makes the earlier frame more like the later one, and the later one more like the earlier."""
    logits = tf.Variable(np.array([[[[0.5, 0.0]]], [[[0.0, 0.5]]]], np.float32))
    with tf.GradientTape() as tape:
        cost = steadiness_loss(moved_by(0, 0, (1, 1)), logits)
    earlier, later = tape.gradient(cost, logits).numpy()[:, 0, 0]
    assert earlier[0] > 0 > earlier[1] and later[0] < 0 < later[1]


def test_motion_in_bytes_says_where_a_pixel_was_and_nothing_where_it_is_not_sure():
    """Rounded to whole pixels; farther than a byte can say is not sure."""
    x, y = (each.astype(np.float32) for each in np.meshgrid(np.arange(4), np.arange(3)))
    sure = np.ones((3, 4), bool)
    sure[0, 0] = False
    x[2, 3] = 300
    plane = motion_plane(Motion(x - 2.2, y + 0.6, sure))
    assert plane[1, 1].tolist() == [126, 129]
    assert plane[0, 0].tolist() == [0, 0] == plane[2, 3].tolist()


@pytest.fixture
def root(tmp_path):
    """A data root with a clip of 31 frames that moves two pixels to the left with each"""
    texture = np.random.default_rng(1).integers(0, 256, (24, 100, 3), np.uint8)
    texture = cv2.resize(texture, (400, 96), interpolation=cv2.INTER_CUBIC)
    (tmp_path / "clips").mkdir()
    with av.open(str(tmp_path / "clips" / "drive.mp4"), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "10"})
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        for index in range(31):
            picture = np.ascontiguousarray(texture[:, 2 * index : 2 * index + 160])
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode(None))
    return tmp_path


def test_a_clip_becomes_pairs_of_successive_frames_once(root):
    """One for every ten frames; the second time nothing is read from the clip."""
    pairs = open_dataset("frame-pairs", root, CLASSES, keep=str(root / "kept"))
    assert isinstance(pairs, FramePairs)
    assert pairs.names == ["drive/000001", "drive/000011", "drive/000021"]
    before, after = pairs.load_pair(1)
    assert before.shape == after.shape == (96, 160, 3)
    shifted = np.abs(before[:, 2:].astype(int) - after[:, :-2]).mean()
    assert shifted < 0.5 * np.abs(before.astype(int) - after).mean(), "the later frame is the earlier, two pixels on"
    picture, labels = pairs.load(1)
    assert np.array_equal(picture, after) and (labels == VOID).all()
    (root / "clips" / "drive.mp4").write_bytes(b"no clip any more")
    assert open_dataset("frame-pairs", root, CLASSES, keep=str(root / "kept")).names == pairs.names


def test_folders_without_clips_are_refused(tmp_path):
    """In one line that names the folder; so is a step that would make pairs overlap."""
    (tmp_path / "clips").mkdir()
    with pytest.raises(UsageError, match="clips: no files"):
        open_dataset("frame-pairs", tmp_path, CLASSES)
    with pytest.raises(UsageError, match="every must be 2 or more, so that pairs do not overlap, got 1"):
        open_dataset("frame-pairs", tmp_path, CLASSES, every=1)


def experiment_with_pairs(**fields):
    return Experiment(
        **{
            "name": "any",
            "shares": (Share("striped", 3), Share("frame-pairs", 1)),
            "classes": CLASSES,
            "size": (96, 160),
            "batch": 4,
            "epochs": 5,
            "steps_per_epoch": 100,
            "steadiness": 1.0,
            "augmentation": Augmentation.none(),
            **fields,
        }
    )


def test_pairs_take_two_neighbouring_places_and_every_share_keeps_its_weight():
    """An even place and the next, with the same sample; a quarter of all places."""
    which, index = np.moveaxis(sampling_plan(experiment_with_pairs(), [8, 5], [False, True]), -1, 0)
    assert np.array_equal(which[:, ::2] == 1, which[:, 1::2] == 1)
    paired = which[:, ::2] == 1
    assert np.array_equal(index[:, ::2][paired], index[:, 1::2][paired])
    assert np.mean(which == 1) == pytest.approx(0.25, abs=0.03)
    drawn = index[:, ::2][paired][:100]
    assert all(sorted(drawn[start : start + 5]) == list(range(5)) for start in range(0, 100, 5))
    labelled = index[which == 0]
    assert sorted(labelled[:8]) == list(range(8))


def test_batches_have_both_frames_alike_and_the_motion_with_the_later_one(root):
    """Mirrored and enlarged with the picture: two pixels to the left become four to the right."""
    register()
    datasets = [Striped(None, None), open_dataset("frame-pairs", root, CLASSES, keep=str(root / "kept"))]
    how = replace(Augmentation.none(), flip=1.0, scale=(2.0, 2.0))
    experiment = experiment_with_pairs(augmentation=how, crop=(96, 160))
    loader = Loader(experiment, datasets, set_table(experiment, datasets))
    plan = sampling_plan(experiment, [8, 3], [False, True])
    step = int(np.flatnonzero((plan[:, 0, 0] == 1) & (plan[:, 2, 0] == 0))[0])
    pictures, targets = loader.batch(step)
    assert targets.shape == (4, 96, 160, CHANNELS)
    assert (targets[:2, ..., CODE] == VOID_CODE).all() and (targets[2:, ..., CODE] != VOID_CODE).any()
    assert not targets[[0, 2, 3]][..., MOTION].any()
    motion = targets[1, ..., MOTION]
    known = motion[..., 0] > 0
    assert known.mean() > 0.5
    assert np.median(motion[known], 0).tolist() == [128 - 4, 128]
    assert np.abs(pictures[1][:, 4:].astype(int) - pictures[0][:, :-4]).mean() < 12


@pytest.mark.parametrize(
    ("fields", "pairs", "message"),
    [
        ({"steadiness": 0.0}, [False, True], "steadiness is 0.0 and 1 of the shares are frame-pairs"),
        ({}, [False, False], "steadiness is 1.0 and 0 of the shares"),
        ({}, [True, True], "alone teach nothing; add a share with labels"),
    ],
)
def test_pairs_without_their_loss_or_alone_are_refused(fields, pairs, message):
    """When the training starts."""
    with pytest.raises(UsageError, match=message):
        check_pairs(experiment_with_pairs(**fields), pairs)


def test_a_pair_is_never_torn_between_devices():
    """Each device's part of the batch must be even."""
    check_shares(experiment_with_pairs(), 2)
    with pytest.raises(UsageError, match="must be even, got 6 on 2; give a batch that 4 divides"):
        check_shares(experiment_with_pairs(batch=6), 2)


def test_a_training_with_pairs_wavers_less_than_one_without(root, monkeypatch):
    """Two trainings of the same steps; noise between the frames changes the second one's mind less."""
    register()
    monkeypatch.chdir(root)

    def waver(steadiness: float) -> float:
        path = striped_config(root, epochs=4, steps_per_epoch=10, validation=None, jaccard_weight=0.0)
        folder = RunFolder(root / f"run{steadiness}")
        folder.start(path, {})
        experiment = replace(
            load_config(path),
            shares=(Share("striped", 1.0), Share("frame-pairs", 1.0)),
            augmentation=replace(Augmentation.none(), noise=1.0, brightness=1.0),
            steadiness=steadiness,
            size=(96, 160),
        )
        training = Training(experiment, root, folder, OneDevice(), lambda _: None)
        training.run()
        pairs = open_dataset("frame-pairs", root, CLASSES)
        frames = np.stack([frame for index in range(len(pairs)) for frame in pairs.load_pair(index)]).astype(np.float32)
        frames[1::2] *= 0.8  # the second frame of each pair is darker
        shares = keras.ops.softmax(training.model(frames, training=False))
        shares = keras.ops.convert_to_numpy(shares)
        return float(np.square(shares[1::2] - shares[::2]).sum(-1).mean())

    assert waver(20.0) < 0.7 * waver(1e-6)

"""`python -m export`: the file computes what the training learned, describes itself, and is whole or not there."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from streamseg.backends import load_backend
from streamseg.errors import ModelError
from streamseg.spec import METADATA_KEY, ModelSpec

SIZE = (64, 96)


@pytest.fixture(scope="module")
def finished(tiny_config, train_command, tmp_path_factory):
    """A tiny training's folder."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    train_command("train", tiny_config, "--out", run, "--epochs", 1)
    return run


@pytest.fixture(scope="module")
def exported(finished, train_command, tmp_path_factory):
    """Its model file, and what the command said."""
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    done = train_command("export", finished, path)
    return path, done


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def network(finished):
    """The trained network in Keras."""
    from train.run_folder import RunFolder

    return RunFolder(finished).network()


def keras_labels(network, frames):
    """What the network says, straight from its logits."""
    import keras

    from train.fcn8s import enlarged

    logits = network.predict_on_batch(frames.astype(np.float32))
    full = enlarged(keras.ops.convert_to_tensor(logits), SIZE[0] // logits.shape[1])
    return keras.ops.convert_to_numpy(full).argmax(-1)


def test_the_file_gives_the_labels_of_the_trained_network(exported, network, frames):
    """At least 99.9 % of the pixels, through the runtime, for a batch of any size."""
    backend = load_backend(exported[0], device="cpu")
    expected = keras_labels(network, frames)
    assert np.mean(backend.infer(frames) == expected) >= 0.999
    assert np.mean(backend.infer(frames[:1]) == expected[:1]) >= 0.999


def test_the_file_takes_and_gives_bytes_with_a_free_batch(exported):
    """frames (N, 64, 96, 3) uint8 -> labels (N, 64, 96) uint8; onnx's own checker finds nothing."""
    model = onnx.load(exported[0])
    onnx.checker.check_model(model, full_check=True)
    (frames,), (labels,) = model.graph.input, model.graph.output
    for tensor, name, shape in ((frames, "frames", [64, 96, 3]), (labels, "labels", [64, 96])):
        dims = tensor.type.tensor_type.shape.dim
        assert tensor.name == name and tensor.type.tensor_type.elem_type == onnx.TensorProto.UINT8
        assert [d.dim_value for d in dims[1:]] == shape and not dims[0].dim_value


def test_normalisation_batch_norm_and_transposes_are_folded(exported):
    """Only the transposition of the input to planes is left, before anything is computed."""
    operators = [node.op_type for node in onnx.load(exported[0]).graph.node]
    assert operators.count("BatchNormalization") == 0
    assert operators.count("Transpose") == 1
    assert operators[:3] == ["Cast", "Transpose", "Add"]


def test_the_file_describes_itself(exported):
    """The spec in the metadata is the experiment's."""
    metadata = {entry.key: entry.value for entry in onnx.load(exported[0]).metadata_props}
    spec = ModelSpec.from_json(metadata[METADATA_KEY])
    assert (spec.name, spec.height, spec.width, spec.channel_order, spec.clahe) == ("tiny", *SIZE, "bgr", None)
    assert [each.name for each in spec.classes][:4] == ["sky", "building", "pole", "road"]
    assert spec.training["data"] == "the built-in scene"
    assert load_backend(exported[0], device="cpu").spec == spec


def test_the_command_says_what_it_verified(exported):
    """And TensorFlow's own talk is kept away."""
    done = exported[1]
    assert "of the labels equal Keras' on 4 pictures of synthetic" in done.stdout
    assert done.stderr == ""


def test_labels_at_half_size_are_repeated_to_full_size(finished, network, frames, train_command, tmp_path):
    """--label-stride 2: the winners of the half-size logits, each as a block of 2 x 2."""
    path = tmp_path / "half.onnx"
    train_command("export", finished, path, "--label-stride", 2)
    labels = load_backend(path, device="cpu").infer(frames)
    assert labels.shape == (3, *SIZE)
    assert np.array_equal(labels, labels[:, ::2, ::2].repeat(2, 1).repeat(2, 2))
    assert np.mean(labels == keras_labels(network, frames)) > 0.9


def test_scores_of_the_file_are_embedded_and_are_those_of_evaluate(finished, train_command, tmp_path):
    """What the file says of itself, `python -m train.evaluate` prints again."""
    import cv2

    for index in range(2):
        for folder, shape in (("val", (36, 48, 3)), ("valannot", (36, 48))):
            (tmp_path / "camvid" / folder).mkdir(parents=True, exist_ok=True)
            array = np.random.default_rng(index).integers(0, 11, shape).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "camvid" / folder / f"{index}.png"), array)
    path = tmp_path / "scored.onnx"
    train_command("export", finished, path, "--score-on", "camvid-val", "--data", tmp_path)
    embedded = load_backend(path, device="cpu").spec.training["scores"]["camvid-val"]
    printed = json.loads(train_command("train.evaluate", path, "camvid-val", "--data", tmp_path, "--json").stdout)
    assert {key: printed[key] for key in embedded} == embedded


def test_a_file_that_differs_too_much_is_not_written(finished, train_command, tmp_path):
    """Exit code 4, one line, and no file."""
    from export.verify import equal_share, require_equal

    ones, zeros = np.ones((1, 4, 4), np.uint8), np.zeros((1, 4, 4), np.uint8)
    zeros[0, 0, 0] = 1
    share = equal_share(lambda _: ones, lambda _: zeros, [np.zeros((4, 4, 3), np.uint8)] * 2)
    assert share == pytest.approx(1 / 16)
    with pytest.raises(ModelError, match=r"0\.06250 of the pixels are equal, at least 0\.99900 must be"):
        require_equal(share)
    require_equal(0.9995)


def test_a_model_file_is_not_overwritten_unasked(finished, exported, train_command):
    """Exit code 2 and the way out."""
    done = train_command("export", finished, exported[0], check=False)
    assert done.returncode == 2
    assert "give --overwrite to replace it" in done.stderr


def test_a_folder_that_is_no_training_is_refused(train_command, tmp_path):
    """One line that says what was expected."""
    done = train_command("export", tmp_path, tmp_path / "model.onnx", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "not a training's folder" in done.stderr
    assert not (tmp_path / "model.onnx").exists()

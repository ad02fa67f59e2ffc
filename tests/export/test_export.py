"""`python -m export`: the file computes what the training learned, describes itself, and is whole or not there."""

from __future__ import annotations

import json

import cv2
import keras
import numpy as np
import onnx
import pytest

from export.exporting import export
from export.request import Request
from export.verify import require_miou
from streamseg.backends import load_backend
from streamseg.errors import ModelError, SinkError, UsageError
from streamseg.spec import METADATA_KEY, ModelSpec
from train.fcn8s import enlarged
from train.run_folder import RunFolder

pytestmark = pytest.mark.training

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
    done = train_command("export", finished, path, "--score-count", 3)
    return path, done


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A data root with pictures in the layout of CamVid's validation part, and random labels."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    for index in range(3):
        for folder, shape in (("val", (36, 48, 3)), ("valannot", (36, 48))):
            (root / "camvid" / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / "camvid" / folder / f"{index}.png"), random.integers(0, 11, shape).astype(np.uint8))
    return root


@pytest.fixture
def make(finished, scene, tmp_path):
    """Exports with other settings, quickly; gives the path and the lines said."""

    def made(**settings):
        path = tmp_path / "model.onnx"
        said: list[str] = []
        quick = {"verify_on": "camvid-val", "score_count": 0, "second_opinion": False}
        export(Request(finished, path, scene, **quick | settings), said.append)
        return path, said

    return made


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def logits(finished, frames):
    """What the trained network says of the frames, straight from Keras: (3, *SIZE, classes) float32."""
    found = RunFolder(finished).network().predict_on_batch(frames.astype(np.float32))
    return keras.ops.convert_to_numpy(enlarged(keras.ops.convert_to_tensor(found), SIZE[0] // found.shape[1]))


def operators(path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def test_the_file_gives_the_labels_of_the_trained_network(exported, logits, frames):
    """At least 99.9 % of the pixels, through the runtime, for a batch of any size."""
    backend = load_backend(exported[0], device="cpu")
    expected = logits.argmax(-1)
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
    found = operators(exported[0])
    assert found.count("BatchNormalization") == 0
    assert found.count("Mul") == 0
    assert found.count("Transpose") == 1
    assert found[:3] == ["Cast", "Transpose", "Add"]


def test_every_operator_has_a_kernel_on_gpus(exported):
    """Of those that ONNX Runtime's CUDA provider has in float and TensorRT takes, so nothing falls back to the CPU.

    The list is from the table of kernels that ONNX Runtime generates, docs/OperatorKernels.md.
    """
    on_gpus = {"Add", "ArgMax", "Cast", "Clip", "Concat", "Conv", "GlobalAveragePool", "MaxPool", "Mul", "Relu"}
    assert set(operators(exported[0])) <= on_gpus | {"Reshape", "Resize", "Transpose"}


def test_uint8_is_only_cast_at_either_end(exported):
    """TensorRT takes and gives bytes only where they are cast at once."""
    graph = onnx.load(exported[0]).graph
    assert [node.op_type for node in graph.node if "frames" in node.input or "labels" in node.output] == ["Cast"] * 2


def test_the_file_describes_itself(exported):
    """The spec in the metadata is the experiment's."""
    metadata = {entry.key: entry.value for entry in onnx.load(exported[0]).metadata_props}
    spec = ModelSpec.from_json(metadata[METADATA_KEY])
    assert (spec.name, spec.height, spec.width, spec.channel_order, spec.clahe) == ("tiny", *SIZE, "bgr", None)
    assert [each.name for each in spec.classes][:4] == ["sky", "building", "pole", "road"]
    assert (spec.training["data"], spec.training["precision"]) == ("the built-in scene", "fp32")
    assert load_backend(exported[0], device="cpu").spec == spec


def test_the_command_says_what_it_verified(exported):
    """Labels, logits, transposes, the validation data's score before and after; TensorFlow's own talk is kept away."""
    done = exported[1]
    assert "of the labels equal Keras' on 4 pictures of synthetic, largest logit difference" in done.stdout
    assert "transposes: 1 (input NHWC -> NCHW)" in done.stdout
    assert "on 3 pictures" in done.stdout and "in Keras 0." in done.stdout
    assert done.stderr == ""


def test_other_libraries_are_asked(exported):
    """OpenVINO and OpenCV say the same, or why they cannot; neither is needed."""
    said = [line for line in exported[1].stdout.splitlines() if line.startswith(("OpenVINO", "OpenCV DNN"))]
    assert len(said) == 2
    for line in said:
        if "of the labels equal" in line:
            assert float(line.split(": ")[1].split()[0]) >= 0.99
        else:
            assert "cannot run it (" in line or "is not installed" in line


def test_the_confidence_is_the_probability_of_the_label(make, logits, frames):
    """As softmax in Keras has it, within a step of 1/255; the file runs like any other."""
    path, _ = make(confidence=True)
    backend = load_backend(path, device="cpu")
    labels, confidence = backend.infer_with_confidence(frames)
    winners = np.rint(keras.ops.convert_to_numpy(keras.ops.softmax(logits)).max(-1) * 255)
    assert confidence.dtype == np.uint8 and confidence.shape == labels.shape
    assert np.abs(confidence - winners).max() <= 1
    assert np.mean(confidence == winners) > 0.99
    assert np.array_equal(backend.infer(frames), labels)
    assert [each.name for each in onnx.load(path).graph.output] == ["labels", "confidence"]


def test_another_size_and_labels_at_half_of_it(make, finished):
    """Any multiple of 32; with label_stride 2 the winners of the half-size logits, each as a block of 2 x 2."""
    path, said = make(size=(32, 128), label_stride=2)
    backend = load_backend(path, device="cpu")
    assert (backend.spec.height, backend.spec.width) == (32, 128)
    frames = np.random.default_rng(1).integers(0, 256, (2, 32, 128, 3)).astype(np.uint8)
    labels = backend.infer(frames)
    assert labels.shape == (2, 32, 128)
    assert np.array_equal(labels, labels[:, ::2, ::2].repeat(2, 1).repeat(2, 2))
    found = RunFolder(finished).network((32, 128)).predict_on_batch(frames.astype(np.float32))
    half = keras.ops.convert_to_numpy(enlarged(keras.ops.convert_to_tensor(found), 16 // found.shape[1]))
    assert np.mean(labels[:, ::2, ::2] == half.argmax(-1)) >= 0.999
    assert any(line.startswith("verified: ") for line in said)


def test_further_sizes_are_offered_and_checked_like_the_own_one(make, finished):
    """The network of the same weights at that size gives the same labels."""
    size = (96, 64)
    path, said = make(also_sizes=(size,))
    assert "verified at 64x96: 1.00000 of the labels equal Keras'" in said
    backend = load_backend(path, device="cpu", size=size)
    frame = np.random.default_rng(1).integers(0, 256, (1, *size, 3)).astype(np.uint8)
    logits = RunFolder(finished).network(size).predict_on_batch(frame.astype(np.float32))
    large = enlarged(keras.ops.convert_to_tensor(logits), size[0] // logits.shape[1])
    assert np.mean(keras.ops.convert_to_numpy(large).argmax(-1) == backend.infer(frame)) >= 0.999
    with pytest.raises(ModelError, match="has no input of 32x32; it has: 96x64, 64x96"):
        load_backend(path, size=(32, 32))


def test_half_precision_is_half_throughout(make, exported):
    """Every weight in float16, bytes in and out, half the size, nearly the same labels."""
    path, _ = make(precision="fp16", least_equal=0.9)
    model = onnx.load(path)
    kinds = {each.data_type for each in model.graph.initializer if np.prod(each.dims) > 8}
    assert kinds == {onnx.TensorProto.FLOAT16}
    assert {each.type.tensor_type.elem_type for each in model.graph.output} == {onnx.TensorProto.UINT8}
    assert path.stat().st_size < 0.6 * exported[0].stat().st_size
    assert load_backend(path, device="cpu").spec.training["precision"] == "fp16"


def test_kernels_in_bfloat16_are_half_the_file_and_still_fp32(make, exported, frames):
    """Eight significant bits in every kernel, large ones kept as float16; input, arithmetic and labels as before."""
    path, _ = make(precision="bf16", least_equal=0.9)
    assert path.stat().st_size < 0.8 * exported[0].stat().st_size
    kernels = [each for each in onnx.load(path).graph.initializer if len(each.dims) == 4]
    assert {each.data_type for each in kernels if np.prod(each.dims) >= 4096} == {onnx.TensorProto.FLOAT16}
    for kernel in kernels:
        wide = onnx.numpy_helper.to_array(kernel).astype(np.float32)
        assert not np.any(wide.view(np.uint32) & 0xFFFF)
    labels, before = (load_backend(each, device="cpu").infer(frames) for each in (path, exported[0]))
    assert np.mean(labels == before) > 0.99


def test_integers_are_calibrated_on_pictures(make):
    """QDQ with int8 weights, one scale a channel; input normalisation and logits stay float."""
    path, _ = make(precision="int8", calibrate_on="camvid-val", calibrate_count=3, least_equal=0.5)
    graph = onnx.load(path).graph
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in graph.node}
    constants = {each.name: each for each in graph.initializer}
    readers = {name: node for node in graph.node for name in node.input}
    kernels = [each for each in graph.initializer if each.data_type == onnx.TensorProto.INT8 and len(each.dims) == 4]
    assert kernels
    for kernel in kernels:
        scales = constants[readers[kernel.name].input[1]]
        assert list(scales.dims) == [kernel.dims[0]]
    last = [node for node in graph.node if node.op_type == "Conv"][-1]
    assert constants[last.input[1]].data_type == onnx.TensorProto.FLOAT
    planes = next(node.output[0] for node in graph.node if node.op_type == "Transpose")
    assert readers[planes].op_type == "Add"


def test_a_file_that_differs_too_much_is_not_written(make, tmp_path):
    """One line that names the setting, exit code 4, and nothing left beside the output."""
    with pytest.raises(ModelError, match=r"of the pixels are equal, at least 1\.00000 must be \(--least-equal\)"):
        make(precision="int8", calibrate_on="camvid-val", calibrate_count=1, least_equal=1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_scores_too_much_less_is_refused():
    """Both figures and the setting are named; where nothing is labelled nothing is lost."""
    with pytest.raises(ModelError, match=r"0\.6000 on camvid-val, the trained one 0\.6100.*--most-miou-loss"):
        require_miou(0.61, 0.60, 0.005, "camvid-val")
    require_miou(0.60, 0.61, 0.005, "camvid-val")
    require_miou(float("nan"), float("nan"), 0.005, "camvid-val")


def test_large_kernels_take_their_own_way(make, monkeypatch, logits, frames):
    """They pass TensorFlow by, and end as constants of the same graph."""
    monkeypatch.setattr("export.to_onnx.LARGE", 1000)
    path, said = make()
    assert [each.name for each in onnx.load(path).graph.input] == ["frames"]
    assert "transposes: 1 (input NHWC -> NCHW)" in said
    assert np.mean(load_backend(path, device="cpu").infer(frames) == logits.argmax(-1)) >= 0.999


def test_scores_of_the_file_are_embedded_and_are_those_of_evaluate(make, train_command, scene):
    """What the file says of itself, `python -m train.evaluate` prints again."""
    path, said = make(score_on=("camvid-val",), score_count=50)
    assert any(line.startswith("camvid-val: mean IoU ") and line.endswith(" on 3 pictures") for line in said)
    embedded = load_backend(path, device="cpu").spec.training["scores"]["camvid-val"]
    printed = json.loads(train_command("train.evaluate", path, "camvid-val", "--data", scene, "--json").stdout)
    assert {key: printed[key] for key in embedded} == embedded


def test_a_score_that_is_asked_for_needs_its_data(make, tmp_path):
    """The folder that is missing is named, and nothing is written."""
    with pytest.raises(UsageError, match="idd_lite"):
        make(score_on=("idd-lite-unseen",), score_count=2)
    assert list(tmp_path.iterdir()) == []


def test_a_model_file_is_not_overwritten_unasked(finished, exported, train_command):
    """Exit code 2 and the way out."""
    done = train_command("export", finished, exported[0], check=False)
    assert done.returncode == 2
    assert "give --overwrite to replace it" in done.stderr


def test_a_folder_is_no_model_file(finished, tmp_path, train_command):
    """Even with --overwrite."""
    done = train_command("export", finished, tmp_path, "--overwrite", check=False)
    assert done.returncode == 2
    assert "is a folder; name a file in it" in done.stderr


@pytest.mark.parametrize("size", ["64", "96x64x3", "axb"])
def test_a_size_that_is_none_says_how_to_write_one(finished, tmp_path, train_command, size):
    """Exit code 2."""
    done = train_command("export", finished, tmp_path / "model.onnx", "--size", size, check=False)
    assert done.returncode == 2
    assert "WIDTHxHEIGHT" in done.stderr


def test_a_size_that_does_not_fit_the_network_is_refused(make, tmp_path):
    """One line with the nearest that does."""
    with pytest.raises(UsageError, match="multiples of 32, got 96x65; the nearest is 96x64"):
        make(size=(65, 96))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_training_is_refused(train_command, tmp_path):
    """One line that says what was expected."""
    done = train_command("export", tmp_path, tmp_path / "model.onnx", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "not a training's folder" in done.stderr
    assert not (tmp_path / "model.onnx").exists()


def test_a_training_without_weights_is_refused(finished, tmp_path, scene):
    """One line, and nothing beside the output."""
    (tmp_path / "experiment.json").write_bytes((finished / "experiment.json").read_bytes())
    with pytest.raises(UsageError, match=r"has no best\.weights\.h5 yet"):
        export(Request(tmp_path, tmp_path / "model.onnx", scene), print)
    assert {each.name for each in tmp_path.iterdir()} == {"experiment.json"}


@pytest.mark.parametrize("place", ["nowhere/model.onnx", "file/model.onnx"])
def test_a_place_that_cannot_be_written_is_said_first(finished, tmp_path, scene, place):
    """Before anything is computed: exit code 5's error, with the path."""
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=r"model\.onnx: cannot be written \(N"):
        export(Request(finished, tmp_path / place, scene), print)

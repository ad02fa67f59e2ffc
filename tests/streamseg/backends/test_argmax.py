"""Labels are decided where classes meet, and are what deciding every pixel gives."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from streamseg.backends import find_model, load_backend
from streamseg.backends.graph import logits_graph, metadata_of
from streamseg.errors import ModelError
from streamseg.kernels import argmax, upsampled_argmax
from streamseg.sources import open_source
from streamseg.spec import METADATA_KEY, ModelSpec
from tests.builders import THREE_CLASSES, save_model


def smooth_logits(seed: int, classes: int = 5, size: tuple[int, int] = (9, 13)) -> np.ndarray:
    """(classes, h, w) float32 with areas and edges, as a network gives them."""
    noise = np.random.default_rng(seed).normal(size=(classes, *size)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(each, (0, 0), 1.5) for each in noise])


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_enlarging_where_classes_meet_equals_enlarging_everything(factor):
    """OpenCV enlarges all logits, numpy takes the largest: the same labels, borders too."""
    for seed in range(5):
        logits = smooth_logits(seed)
        size = (logits.shape[2] * factor, logits.shape[1] * factor)
        whole = np.stack([cv2.resize(each, size, interpolation=cv2.INTER_LINEAR) for each in logits]).argmax(0)
        labels = upsampled_argmax(logits, factor)
        assert labels.dtype == np.uint8
        assert np.mean(labels == whole) > 0.9999


def test_one_class_everywhere_and_one_pixel_are_fine():
    """Nothing meets: no sums at all."""
    logits = np.zeros((3, 1, 1), np.float32)
    logits[2] = 1
    assert np.array_equal(upsampled_argmax(logits, 4), np.full((4, 4), 2))


def test_the_first_of_equals_wins():
    """As ArgMax has it."""
    assert argmax(np.zeros((4, 2, 2), np.float32)).max() == 0


def bright_model(path, **resize):
    """Logits of three classes at half size, a Resize, ArgMax and a Cast: (1, 3, 8, 8) float -> labels."""
    attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"} | resize
    spec = ModelSpec("bright", 16, 16, THREE_CLASSES)
    constants = [
        numpy_helper.from_array(np.float32([1, 1, 2, 2]), "scales"),
        numpy_helper.from_array(np.float32([-1, 0, 1]).reshape(1, 3, 1, 1), "ways"),
        numpy_helper.from_array(np.float32([200, 0, -100]).reshape(1, 3, 1, 1), "shifts"),
    ]
    nodes = [
        helper.make_node("Cast", ["frames"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["values"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Mul", ["small", "ways"], ["turned"]),
        helper.make_node("Add", ["turned", "shifts"], ["logits"]),
        helper.make_node("Resize", ["logits", "", "scales"], ["large"], **attributes),
        helper.make_node("ArgMax", ["large"], ["winners"], axis=1, keepdims=0),
        helper.make_node("Cast", ["winners"], ["labels"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "bright",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 16, 16, 3])],
        [helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", 16, 16])],
        constants,
    )
    return save_model(graph, path, spec.to_json())


def whole_labels(path, batch):
    """What onnxruntime makes of the file as it is."""
    from streamseg.backends.ort import ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


def test_a_backend_gives_the_labels_of_the_whole_graph(tmp_path):
    """Although it does not run the graph's last steps."""
    path = bright_model(tmp_path / "bright.onnx")
    assert logits_graph(path) is not None
    batch = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    assert np.array_equal(load_backend(path, "cpu").infer(batch), whole_labels(path, batch))


def test_the_bundled_model_gives_the_labels_of_its_whole_graph():
    """On pictures of the built-in scene, but for ties that rounding decides."""
    path = find_model()
    backend = load_backend(path, "cpu")
    with open_source("synthetic:512x288,frames=2") as source:
        batch = np.stack([frame.bgr() for frame in source])
    assert np.mean(backend.infer(batch) == whole_labels(path, batch)) > 0.99999


@pytest.mark.parametrize(
    "resize",
    [{"mode": "nearest"}, {"coordinate_transformation_mode": "align_corners"}, {"mode": "cubic"}],
    ids=["nearest", "align_corners", "cubic"],
)
def test_a_graph_that_enlarges_in_another_way_is_run_whole(tmp_path, resize):
    """The sums would be others."""
    path = bright_model(tmp_path / "other.onnx", **resize)
    assert logits_graph(path) is None
    batch = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), np.uint8)
    assert np.array_equal(load_backend(path, "cpu").infer(batch), whole_labels(path, batch))


def test_a_graph_whose_logits_are_wanted_too_is_run_whole(tmp_path):
    """Nothing that somebody asked for is taken away."""
    proto = onnx.load(bright_model(tmp_path / "two.onnx"))
    proto.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3, 8, 8]))
    onnx.save(proto, tmp_path / "two.onnx")
    assert logits_graph(tmp_path / "two.onnx", "labels") is None


def test_metadata_is_what_the_onnx_package_reads(tmp_path):
    """All of it, without that package."""
    proto = onnx.load(bright_model(tmp_path / "bright.onnx"))
    helper.set_model_props(proto, {METADATA_KEY: "{}", "author": "Jörg", "empty": ""})
    onnx.save(proto, tmp_path / "bright.onnx")
    assert metadata_of(tmp_path / "bright.onnx") == {each.key: each.value for each in proto.metadata_props}


@pytest.mark.parametrize("length", [0, 1, 100, 1000])
def test_a_file_cut_off_is_no_model(tmp_path, length):
    """One line, whatever is left of it."""
    path = tmp_path / "part.onnx"
    path.write_bytes(find_model().read_bytes()[:length])
    with pytest.raises(ModelError, match=r"part\.onnx' is not an ONNX model"):
        metadata_of(path)
    assert logits_graph(path) is None

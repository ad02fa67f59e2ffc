"""A network that never ends, or wants all memory, is one line; loading ends when it is told to."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from streamseg.backends import load_backend
from streamseg.errors import ModelError
from streamseg.spec import ModelSpec
from tests.builders import THREE_CLASSES, save_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the memory of one process is limited on Linux only")


def _saved(path: Path, nodes: list, constants: list) -> Path:
    picture = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 48, 64, 3])
    labels = helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", 48, 64])
    first = numpy_helper.from_array(np.int64(0), "first")
    nodes = [*nodes, helper.make_node("Gather", ["frames", "first"], ["blue"], axis=3)]
    nodes += [
        helper.make_node("Cast", ["extra"], ["none"], to=TensorProto.UINT8),
        helper.make_node("Mul", ["blue", "none"], ["labels"]),
    ]
    graph = helper.make_graph(nodes, "odd", [picture], [labels], [first, *constants])
    return save_model(graph, path, ModelSpec("odd", 48, 64, THREE_CLASSES).to_json())


@pytest.fixture
def endless(tmp_path):
    """A model with a loop of 2 to the power of 62 steps."""
    kept = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in (
        ("i", TensorProto.INT64, []), ("on", TensorProto.BOOL, []), ("v", TensorProto.FLOAT, [1]))]  # fmt: skip
    out = [helper.make_tensor_value_info("on_out", TensorProto.BOOL, []),
           helper.make_tensor_value_info("v_out", TensorProto.FLOAT, [1])]  # fmt: skip
    steps = [helper.make_node("Identity", ["on"], ["on_out"]), helper.make_node("Abs", ["v"], ["v_out"])]
    body = helper.make_graph(steps, "body", kept, out)
    constants = [numpy_helper.from_array(np.int64(2**62), "n"), numpy_helper.from_array(np.array(True), "go"),
                 numpy_helper.from_array(np.zeros(1, np.float32), "start")]  # fmt: skip
    return _saved(
        tmp_path / "endless.onnx", [helper.make_node("Loop", ["n", "go", "start"], ["extra"], body=body)], constants
    )


@pytest.mark.slow
@pytest.mark.parametrize("untrusted", [False, True])
def test_a_network_that_never_ends_is_given_up(endless, untrusted):
    """In either mode, in one line that names the way out; nothing of it goes on."""
    with pytest.raises(ModelError, match=r"endless\.onnx' did not load within 3 s; give it longer"):
        load_backend(endless, "cpu", untrusted_model=untrusted, load_timeout_s=3)


def test_a_network_that_wants_all_memory_is_refused(tmp_path):
    """4 GB are more than an untrusted one may have."""
    value = numpy_helper.from_array(np.zeros(1, np.float32))
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"], value=value),
        helper.make_node("ReduceMax", ["huge"], ["extra"], keepdims=0),
    ]
    path = _saved(tmp_path / "huge.onnx", nodes, [numpy_helper.from_array(np.array([2**30]), "shape")])
    with pytest.raises(ModelError, match=r"huge\.onnx") as caught:
        load_backend(path, "cpu", untrusted_model=True)
    assert "\n" not in str(caught.value)


def test_an_untrusted_network_gives_the_same_labels(model):
    """Also from several pictures at once, and its process ends with it."""
    pictures = np.random.default_rng(1).integers(0, 256, (3, 48, 64, 3), np.uint8)
    apart = load_backend(model, "cpu", untrusted_model=True, streams=2)
    np.testing.assert_array_equal(apart.infer(pictures), load_backend(model, "cpu").infer(pictures))
    process = apart.backend._process
    apart.backend.close()
    assert process.poll() is not None

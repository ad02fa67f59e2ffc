"""A network cut in two computes what it computed whole, and is cut where its kernels allow."""

from __future__ import annotations

import numpy as np
import pytest

from streamseg.backends.openvino_parts import Requests, in_two
from streamseg.errors import ModelError

library = pytest.importorskip("openvino", reason="OpenVINO is not installed")

HEIGHT, WIDTH = 64, 96


def network(strides, kind=np.float32, rounded=True):
    """3x3 convolutions of two channels, each with what came before it added where the size stays.

    kind: that the kernels are kept in, widened for use. rounded: to eight significant bits.
    """
    operations, random = library.opset13, np.random.default_rng(0)
    frames = operations.parameter([1, 2, HEIGHT, WIDTH], np.float32, name="frames")
    x = frames
    for stride in strides:
        kernel = random.standard_normal((2, 2, 3, 3)).astype(np.float32)
        if rounded:
            kernel = (kernel.view(np.uint32) & 0xFFFF0000).view(np.float32)
        constant = operations.constant(kernel.astype(kind))
        wide = constant if kind == np.float32 else operations.convert(constant, "f32")
        y = operations.convolution(x, wide, [stride] * 2, [1, 1], [1, 1], [1, 1])
        x = operations.relu(operations.add(x, y) if stride == 1 else y)
    x.output(0).get_tensor().set_names({"logits"})
    return library.Model([library.op.Result(x.output(0))], [frames], "network")


def convolutions(model):
    return sum(each.get_type_name() == "Convolution" for each in model.get_ops())


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_kernels_with_bf16s_bits_leave_three_convolutions_to_fp32(kind):
    """As a file keeps them, in 32 or 16 bits: only what flows between layers is rounded."""
    first, rest = in_two(library, network([2, 1, 1, 2, 2], kind), HEIGHT)
    assert (convolutions(first), convolutions(rest)) == (3, 2)


def test_other_kernels_leave_all_up_to_an_eighth_of_the_size():
    """The convolution that gives it included."""
    first, rest = in_two(library, network([2, 1, 1, 2, 2, 1, 1], rounded=False), HEIGHT)
    assert (convolutions(first), convolutions(rest)) == (5, 2)


@pytest.mark.parametrize("rounded", [True, False])
def test_both_parts_one_after_the_other_give_what_the_whole_gives(rounded):
    """Whatever crosses the cut, several pictures too."""
    strides = [2, 2, 1, 2, 1, 1]
    core, frames = library.Core(), np.random.default_rng(1).random((1, 2, HEIGHT, WIDTH), np.float32)
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    whole = core.compile_model(network(strides, rounded=rounded), "CPU", hint)(frames)[0]
    parts = [
        core.compile_model(each, "CPU", hint) for each in in_two(library, network(strides, rounded=rounded), HEIGHT)
    ]
    assert Requests(library, parts).infer(frames)["logits"] == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize(
    ("strides", "rounded", "message"),
    [([2, 1, 1], True, "have more than 3 convolutions"), ([2, 2, 1], False, "make their picture 8 times smaller")],
)
def test_a_network_that_cannot_be_cut_is_one_line(strides, rounded, message):
    """With what is missing and what to do."""
    with pytest.raises(ModelError, match=f"precision 'mixed' is for networks that {message}; fp32 is for all"):
        in_two(library, network(strides, rounded=rounded), HEIGHT)

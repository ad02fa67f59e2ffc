"""Models from elsewhere run as they are: any usual type, layout and kind of output, in every library."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from onnx import TensorProto

from streamseg.backends import load_backend
from streamseg.errors import ModelError
from streamseg.spec import NOTHING
from tests.foreign_models import (
    CLASSES,
    FLOAT,
    HALF,
    HEIGHT,
    LAST_LOGITS,
    TWO_LOGITS,
    WIDTH,
    bright_model,
    described,
    half_bright,
    two_logits,
)
from tests.pretended_gpu import PretendedGpu

ONE_CLASS = 'classes = [{ name = "road", color = [120, 200, 60] }]'
GREATER = [("Greater", ["d", "zero"], ["g"], {})]


@pytest.fixture(params=["cpu", "openvino", "cuda"])
def device(request, monkeypatch):
    """Every library there is; in a GPU's place, the CPU."""
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO is not installed")
    if request.param == "cuda":
        PretendedGpu(monkeypatch)
    return request.param


def halves(path, device):
    """What the model says of the dark and of the bright half, each as a list of the labels there."""
    backend = load_backend(path, device, precision="fp32")
    labels = backend.infer(half_bright())
    assert labels.dtype == np.uint8
    assert labels.shape == (1, HEIGHT, WIDTH)
    middle = WIDTH // 2
    return backend, np.unique(labels[:, :, :middle]).tolist(), np.unique(labels[:, :, middle:]).tolist()


def cast_labels(kind, name="y"):
    """Steps to labels of an element type, (1, 1, height, width)."""
    return [*GREATER, ("Cast", ["g"], [name], {"to": kind})]


FORMS = {
    "logits": (TWO_LOGITS, ("y", FLOAT, [1, 2, HEIGHT, WIDTH]), {}),
    "half in and out": (TWO_LOGITS, ("y", HALF, [1, 2, HEIGHT, WIDTH]), {"kind": HALF}),
    "half out": (
        [*TWO_LOGITS[:1], ("Concat", ["n", "d"], ["c"], {"axis": 1}), ("Cast", ["c"], ["y"], {"to": HALF})],
        ("y", HALF, [1, 2, HEIGHT, WIDTH]),
        {},
    ),
    "double out": (
        [*TWO_LOGITS[:1], ("Concat", ["n", "d"], ["c"], {"axis": 1}),
         ("Cast", ["c"], ["y"], {"to": TensorProto.DOUBLE})],
        ("y", TensorProto.DOUBLE, [1, 2, HEIGHT, WIDTH]),
        {},
    ),
    "channels last out": (LAST_LOGITS, ("y", FLOAT, [1, HEIGHT, WIDTH, 2]), {}),
    "batch of four": (TWO_LOGITS, ("y", FLOAT, [4, 2, HEIGHT, WIDTH]), {"batch": 4}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_logits_of_every_form_become_the_same_labels(tmp_path, device, form):
    """Half precision, double, channels last, a fixed batch: nothing has to be converted by hand."""
    steps, output, options = FORMS[form]
    path = described(
        bright_model(tmp_path / "net.onnx", steps, [output], **options),
        'output = "logits"' + ('\noutput_layout = "nhwc"' if form == "channels last out" else ""),
    )
    backend, dark, bright = halves(path, device)
    assert (dark, bright) == ([0], [1])
    assert backend.unknown.note() is None


def test_channels_last_on_both_sides_are_the_layout(tmp_path, device):
    """As Keras exports them: one word says it for input and logits."""
    path = bright_model(tmp_path / "net.onnx", LAST_LOGITS, [("y", FLOAT, [1, HEIGHT, WIDTH, 2])], layout="nhwc")
    _, dark, bright = halves(described(path, layout="nhwc"), device)
    assert (dark, bright) == ([0], [1])


@pytest.mark.parametrize(
    "kind", ["UINT8", "INT8", "INT32", "INT64", "FLOAT", "FLOAT16", "DOUBLE", "BOOL"], ids=str.lower
)
def test_labels_of_every_type_are_taken(tmp_path, device, kind):
    """With a dimension of one channel, as ArgMax with keepdims leaves it."""
    element = getattr(TensorProto, kind)
    steps = [("Greater", ["d", "zero"], ["y"], {})] if kind == "BOOL" else cast_labels(element)
    path = bright_model(tmp_path / "net.onnx", steps, [("y", element, [1, 1, HEIGHT, WIDTH])])
    _, dark, bright = halves(described(path, 'output = "labels"'), device)
    assert (dark, bright) == ([0], [1])


def test_labels_with_a_last_dimension_of_one_are_taken(tmp_path, device):
    """(N, H, W, 1), as TensorFlow has it."""
    steps = [*cast_labels(TensorProto.INT64, "c"), ("Transpose", ["c"], ["y"], {"perm": [0, 2, 3, 1]})]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", TensorProto.INT64, [1, HEIGHT, WIDTH, 1])])
    _, dark, bright = halves(described(path, 'output = "labels"'), device)
    assert (dark, bright) == ([0], [1])


@pytest.mark.parametrize(("factor", "constant"), [("two_hundred", 200), ("too_many", 256)])
def test_an_id_without_a_class_is_nothing_and_counted(tmp_path, device, factor, constant):
    """It is not there on a black picture. 256 is not wrapped to class 0."""
    steps = [*cast_labels(TensorProto.INT64, "c"), ("Mul", ["c", factor], ["y"], {})]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", TensorProto.INT64, [1, 1, HEIGHT, WIDTH])])
    backend, dark, bright = halves(described(path, 'output = "labels"'), device)
    assert (dark, bright) == ([0], [NOTHING])
    assert f"in 1 picture: id {constant} in {HEIGHT * WIDTH // 2} pixels" in backend.unknown.note()
    backend.unknown.clear()
    assert backend.unknown.note() is None


def test_an_id_to_be_ignored_is_nothing_and_not_counted(tmp_path, device):
    """What the description calls `ignore` is no surprise; it may be a class's id too."""
    steps = [*cast_labels(TensorProto.INT64, "c"), ("Mul", ["c", "two_hundred"], ["y"], {})]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", TensorProto.INT64, [1, 1, HEIGHT, WIDTH])])
    backend, dark, bright = halves(described(path, 'output = "labels"', f"ignore = 200\n{CLASSES}"), device)
    assert (dark, bright) == ([0], [NOTHING])
    assert backend.unknown.note() is None
    backend, dark, bright = halves(described(two_logits(path), top=f"ignore = 0\n{CLASSES}"), device)
    assert (dark, bright) == ([NOTHING], [1])


SIGMOID = [("Sigmoid", ["d"], ["y"], {})]


@pytest.mark.parametrize(
    ("steps", "tensors", "threshold_is_high"),
    [
        ([("Identity", ["d"], ["y"], {})], 'output = "sigmoid"', False),
        ([("Identity", ["d"], ["y"], {})], 'output = "probability"\nthreshold = 0.0', False),
        (SIGMOID, 'output = "probability"', False),
        (SIGMOID, 'output = "sigmoid"', False),
        (SIGMOID, 'output = "probability"\nthreshold = 0.99999', True),
        ([("Identity", ["d"], ["y"], {})], 'output = "sigmoid"\nthreshold = 0.99999', True),
    ],
    ids=["logits", "raw value", "probability", "sigmoid is inside", "sure probability", "sure logits"],
)
def test_one_channel_is_decided_by_a_threshold(tmp_path, device, steps, tensors, threshold_is_high):
    """One class is there or nothing is; of two, the first is where the second is not. White is 0.99995 sure."""
    path = bright_model(tmp_path / "net.onnx", steps, [("y", FLOAT, [1, 1, HEIGHT, WIDTH])])
    _, dark, bright = halves(described(path, tensors, ONE_CLASS), device)
    assert (dark, bright) == ([NOTHING], [NOTHING] if threshold_is_high else [0])
    _, dark, bright = halves(described(path, tensors), device)
    assert (dark, bright) == ([0], [0] if threshold_is_high else [1])


def test_several_channels_of_a_sigmoid_leave_nothing_where_none_is_sure(tmp_path, device):
    """As of networks whose classes do not exclude each other: the largest wins, if it is large enough."""
    path = two_logits(tmp_path / "net.onnx")
    grey = np.full((1, HEIGHT, WIDTH, 3), 128, np.uint8)
    path = described(path, 'output = "sigmoid"\nthreshold = 0.9')
    backend, dark, bright = halves(path, device)
    assert (dark, bright) == ([0], [1])
    assert np.unique(backend.infer(grey)).tolist() == [NOTHING]


def test_one_class_by_the_largest_logit_is_refused(tmp_path, device):
    """It would be that class everywhere; the way out is named."""
    path = bright_model(tmp_path / "net.onnx", SIGMOID, [("y", FLOAT, [1, 1, HEIGHT, WIDTH])])
    with pytest.raises(ModelError, match=r"at least two for output = \"logits\".*write output = \"sigmoid\""):
        load_backend(described(path, top=ONE_CLASS), device)
    with pytest.raises(ModelError, match=r"one channel has no largest; write output = \"sigmoid\""):
        load_backend(described(path), device, precision="fp32")


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_small_logits_are_enlarged_before_they_are_decided(tmp_path, device, factor):
    """Bilinearly, as OpenCV enlarges each channel: odd factors too. The picture has fine structure."""
    small = [1, 2, HEIGHT // factor, WIDTH // factor]
    pool = {"kernel_shape": [factor, factor], "strides": [factor, factor]}
    steps = [("AveragePool", ["d"], ["p"], pool), ("Neg", ["p"], ["n"], {}), ("Concat", ["n", "p"], ["y"], {"axis": 1})]
    path = described(bright_model(tmp_path / "net.onnx", steps, [("y", FLOAT, small)]))
    rng = np.random.default_rng(5)
    noise = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), 2.5)
    picture = np.repeat(np.clip(128 + 400 * noise, 0, 255).astype(np.uint8)[None, ..., None], 3, 3)
    backend = load_backend(path, device, precision="fp32")
    labels = backend.infer(picture)[0]
    mean = (picture[0].mean(2) / 255)[: small[2] * factor, : small[3] * factor]
    coarse = mean.reshape(small[2], factor, small[3], factor).mean((1, 3)).astype(np.float32) - 0.5
    right = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) > 0
    assert labels.shape == (HEIGHT, WIDTH)
    assert 0.2 < right.mean() < 0.8  # there is something to get wrong
    assert np.mean(labels == right) >= 0.995


@pytest.mark.parametrize("native", ["0", "1"])
def test_logits_that_are_no_numbers_are_nothing(tmp_path, device, native, monkeypatch):
    """Where they are, and only there; the same with and without compiled C, at full size and enlarged."""
    if native == "0":
        monkeypatch.setattr("streamseg.native.LIBRARY", None)
    log = [("Neg", ["d"], ["n"], {}), ("Sqrt", ["n"], ["s"], {})]  # of a negative number, where it is bright
    for name, steps, size in (
        ("whole", [*log, ("Concat", ["n", "s"], ["y"], {"axis": 1})], (HEIGHT, WIDTH)),
        (
            "small",
            [*log, ("Concat", ["n", "s"], ["c"], {"axis": 1}),
             ("AveragePool", ["c"], ["y"], {"kernel_shape": [4, 4], "strides": [4, 4]})],
            (HEIGHT // 4, WIDTH // 4),
        ),
    ):  # fmt: skip
        path = described(bright_model(tmp_path / f"{name}.onnx", steps, [("y", FLOAT, [1, 2, *size])]))
        backend = load_backend(path, device, precision="fp32")
        labels = backend.infer(half_bright())[0]
        assert set(np.unique(labels[:, : WIDTH // 2 - 2])) <= {0, 1}
        assert np.unique(labels[:, WIDTH // 2 + 2 :]).tolist() == [NOTHING]
        assert "not a number in" in backend.unknown.note()


HEADS = """
[[heads]]
output_name = "area"
classes = ["background", "drivable"]

[[heads]]
output_name = "lines"
output = "sigmoid"
threshold = 0.9
classes = ["lane"]
"""
THREE = """classes = [
    { name = "background", color = [0, 0, 0] },
    { name = "drivable", color = [0, 200, 0] },
    { name = "lane", color = [200, 0, 0] },
]"""


def two_heads(path):
    """A network for two things: bright is drivable, and very bright is a line on it."""
    steps = [
        ("Neg", ["d"], ["n"], {}),
        ("Concat", ["n", "d"], ["area"], {"axis": 1}),
        ("Identity", ["d"], ["lines"], {}),
    ]
    outputs = [("area", FLOAT, [1, 2, HEIGHT, WIDTH]), ("lines", FLOAT, [1, 1, HEIGHT, WIDTH])]
    return bright_model(path, steps, outputs)


def test_two_heads_become_one_map_the_later_painted_over(tmp_path, device):
    """Drivable area and lane lines, as of networks for both; nothing of a later head lets through what was before."""
    path = described(two_heads(tmp_path / "net.onnx"), HEADS, THREE)
    backend = load_backend(path, device, precision="fp32")
    picture = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)
    picture[:, :, 32:64] = 140  # 0.98 through the gain: 0.73 sure
    picture[:, :, 64:] = 255
    labels = backend.infer(picture)[0]
    assert [np.unique(labels[:, start : start + 32]).tolist() for start in (0, 32, 64)] == [[0], [1], [2]]
    assert backend.unknown.note() is None


def test_a_head_may_give_other_classes_to_its_ids(tmp_path, device):
    """One output alone: what a network calls 1 is class 0 here, and its 0 is nothing."""
    heads = '[[heads]]\noutput_name = "y"\noutput = "logits"\nclasses = ["", "road"]'
    _, dark, bright = halves(described(two_logits(tmp_path / "net.onnx"), heads, ONE_CLASS), device)
    assert (dark, bright) == ([NOTHING], [0])


def test_several_outputs_need_a_name(tmp_path, device):
    """Those there are stand in the message; with one named, it is taken."""
    path = two_heads(tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r"has 2 outputs \(area, lines\); name one as output_name"):
        load_backend(described(path), device, precision="fp32")
    _, dark, bright = halves(described(path, 'output = "logits"\noutput_name = "area"'), device)
    assert (dark, bright) == ([0], [1])


def test_the_hint_names_the_layout_or_kind_that_would_fit(tmp_path):
    """From the shape: classes that come last, or logits where labels were described."""
    path = bright_model(tmp_path / "net.onnx", LAST_LOGITS, [("y", FLOAT, [1, HEIGHT, WIDTH, 2])])
    with pytest.raises(
        ModelError, match=r"should be \?x2x\?x\? float .* write output_layout = \"nhwc\" in \[tensors\]"
    ):
        load_backend(described(path), "cpu")
    with pytest.raises(ModelError, match=r"write output = \"logits\" in \[tensors\]"):
        load_backend(described(two_logits(path), 'output = "labels"'), "cpu")


def test_an_openvino_model_runs_in_openvino(tmp_path):
    """Described by a TOML of the same stem; other devices are refused in one line."""
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    path = described(tmp_path / "net.xml")
    openvino.save_model(openvino.Core().read_model(two_logits(tmp_path / "net.onnx")), path)
    backend, dark, bright = halves(path, "auto")
    assert backend.device.startswith("openvino:CPU")  # in the precision that a trial finds fastest
    assert (dark, bright) == ([0], [1])
    with pytest.raises(ModelError, match=r"is no file for onnxruntime, which reads \.onnx; \.xml is for openvino"):
        load_backend(path, "cpu")


def test_one_description_serves_the_other_precisions_too(tmp_path):
    """NAME.toml is that of NAME-int8.onnx, where that has none of its own."""
    path = described(two_logits(tmp_path / "net.onnx"))
    (tmp_path / "net-int8.onnx").write_bytes(path.read_bytes())
    _, dark, bright = halves(tmp_path / "net-int8.onnx", "cpu")
    assert (dark, bright) == ([0], [1])


def test_a_picture_of_another_shape_is_no_label_map(tmp_path):
    """The scores of a classifier look like labels, but for their size."""
    steps = [*TWO_LOGITS[:1], ("Concat", ["n", "d"], ["c"], {"axis": 1}), ("ReduceMean", ["c"], ["y"], {"axes": [2]})]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", FLOAT, [1, 2, 1, WIDTH])])
    with pytest.raises(ModelError, match=r"should be a picture of 96x64 or a smaller one like it, but is 96x1"):
        load_backend(described(path), "cpu")

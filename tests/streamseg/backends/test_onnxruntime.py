"""Models are held to what they say of themselves, and the device that is named is the one that runs."""

import numpy as np
import onnx
import pytest

from streamseg.backends import DEFAULT_MODEL, find_model, load_backend
from streamseg.backends.nvidia import gpus
from streamseg.errors import ModelError
from tests.builders import logits_model, threshold_model
from tests.streamseg.backends.foreign import TOML


def grey_batch(*values: int) -> np.ndarray:
    """One 48x64 picture a value."""
    return np.stack([np.full((48, 64, 3), value, np.uint8) for value in values])


def test_a_described_model_runs_and_says_what_it_is(model):
    """Labels are the graph's own, the device is the one in use."""
    backend = load_backend(model, "cpu")
    assert backend.device == "cpu"
    assert backend.spec.name == "threshold"
    labels = backend.infer(grey_batch(10, 128, 250))
    assert labels.dtype == np.uint8
    assert labels.shape == (3, 48, 64)
    assert [set(each.ravel().tolist()) for each in labels] == [{0}, {1}, {2}]


def test_a_foreign_model_runs_with_a_toml_beside_it(tmp_path):
    """Float NCHW RGB in, logits out: normalisation and the winning class are ours."""
    path = logits_model(tmp_path / "elsewhere.onnx")
    path.with_suffix(".toml").write_text(TOML)
    backend = load_backend(path, "cpu")
    assert [int(backend.infer(grey_batch(value))[0, 0, 0]) for value in (10, 128, 250)] == [0, 1, 2]


def test_a_model_without_a_description_says_what_to_write_where(tmp_path):
    """The name of the file that is missing is in the message."""
    path = threshold_model(tmp_path / "bare.onnx", described=False)
    with pytest.raises(ModelError, match=r"does not describe itself; .* 'bare\.toml'"):
        load_backend(path, "cpu")


def test_a_description_that_contradicts_the_graph_is_refused(tmp_path):
    """Said at load, with both shapes, not at the thousandth frame."""
    path = logits_model(tmp_path / "elsewhere.onnx")
    path.with_suffix(".toml").write_text(TOML.replace("height = 48", "height = 96"))
    with pytest.raises(ModelError, match=r"should be \?x3x96x64 float by its description, but is 1x3x48x64 float"):
        load_backend(path, "cpu")


def test_too_few_classes_in_the_description_are_refused(tmp_path):
    """A graph with three logits and two names is one of the two wrong."""
    path = logits_model(tmp_path / "elsewhere.onnx")
    lines = [line for line in TOML.splitlines() if "bright" not in line]
    path.with_suffix(".toml").write_text("\n".join(lines))
    with pytest.raises(ModelError, match=r"should be \?x2x\?x\?"):
        load_backend(path, "cpu")


@pytest.mark.parametrize("content", [b"", b"this is text", b"\x00" * 5000], ids=["empty", "text", "zeros"])
def test_a_file_that_is_no_model_is_one_line(tmp_path, content):
    """Whatever onnxruntime prints, the user reads one line with the file's name."""
    path = tmp_path / "not.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"not\.onnx") as caught:
        load_backend(path, "cpu")
    assert "\n" not in str(caught.value)


def test_a_classifier_is_refused_as_a_segmenter(tmp_path):
    """An ONNX model of another kind is told by its shape."""
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("GlobalAveragePool", ["image"], ["scores"])],
        "classifier",
        [onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 48, 64])],
        [onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, [1, 3, 1, 1])],
    )
    path = tmp_path / "classifier.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)
    path.with_suffix(".toml").write_text(TOML.replace('"logits"', '"labels"'))
    with pytest.raises(ModelError, match="output 'scores'"):
        load_backend(path, "cpu")


@pytest.mark.parametrize("name", ["nowhere.onnx", "no-such-model"])
def test_a_model_that_does_not_exist_lists_the_bundled_ones(name):
    """The way out is in the message."""
    with pytest.raises(ModelError, match=DEFAULT_MODEL):
        find_model(name)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:-1", "cuda:", "cpu:1", ""])
def test_a_device_that_does_not_exist_lists_those_that_do(model, device):
    """All that the engines have, and auto."""
    with pytest.raises(ModelError, match=r"use auto, cuda\[:N\], cpu, openvino, tensorrt\[:N\]"):
        load_backend(model, device)


def test_cuda_without_a_gpu_fails_and_never_runs_on_the_cpu(model):
    """onnxruntime would carry on silently; we do not."""
    if gpus():
        pytest.skip("this machine has an NVIDIA GPU")
    with pytest.raises(
        ModelError, match="device 'cuda' cannot be used: no NVIDIA GPU was found; usable here: auto, cpu"
    ):
        load_backend(model, "cuda")


def test_cuda_really_runs_on_the_gpu(model):
    """The device is the session's own word."""
    if not gpus():
        pytest.skip("no NVIDIA GPU on this machine")
    backend = load_backend(model, "cuda")
    assert backend.device.startswith("cuda:0")
    assert int(backend.infer(grey_batch(250))[0, 0, 0]) == 2


def test_auto_takes_the_cpu_where_there_is_no_gpu_and_prints_nothing(model, capfd):
    """No provider's complaints on the terminal."""
    if gpus():
        pytest.skip("this machine has an NVIDIA GPU")
    assert load_backend(model, "auto").device == "cpu"
    assert capfd.readouterr() == ("", "")

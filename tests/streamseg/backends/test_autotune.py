"""The library and the precision are those that are fastest here and agree with fp32, found by a trial that is kept."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from streamseg.backends import load_backend
from streamseg.errors import ModelError
from streamseg.spec import ModelSpec
from tests.builders import THREE_CLASSES, save_model, threshold_model

SIZE = (288, 512)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of each test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(folder))
    return folder


def slow_model(path):
    """`threshold_model` with convolutions whose result counts for nothing: tens of milliseconds."""
    height, width = SIZE
    kernel = np.zeros((32, 32, 3, 3), np.float32)
    nodes = [
        helper.make_node("Cast", ["frames"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["mean"], axes=[3], keepdims=0),
        helper.make_node("Mul", ["mean", "factor"], ["scaled"]),
        helper.make_node("Unsqueeze", ["scaled", "channel"], ["plane"]),
        helper.make_node("Expand", ["plane", "many"], ["wide"]),
        *(
            helper.make_node("Conv", [("wide", "a", "b")[place], "kernel"], [("a", "b", "c")[place]], pads=[1] * 4)
            for place in range(3)
        ),
        helper.make_node("ReduceMax", ["c"], ["nothing"], axes=[1], keepdims=0),
        helper.make_node("Add", ["scaled", "nothing"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["labels"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", height, width, 3])],
        [helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", height, width])],
        [
            numpy_helper.from_array(np.float32(1 / 85.5), "factor"),
            numpy_helper.from_array(np.int64([1]), "channel"),
            numpy_helper.from_array(np.int64([1, 32, 1, 1]), "many"),
            numpy_helper.from_array(kernel, "kernel"),
        ],
    )
    return save_model(graph, path, ModelSpec("slow", height, width, THREE_CLASSES).to_json())


def perturbed(path):
    """The same file with other weights."""
    proto = onnx.load(path)
    for each in proto.graph.initializer:
        if each.name == "factor":
            each.CopyFrom(numpy_helper.from_array(np.float32(1 / 128), "factor"))
    onnx.save(proto, path)
    return path


@pytest.fixture
def slow(tmp_path):
    """A slow model whose int8 form is fast and says the same."""
    threshold_model(tmp_path / "net-int8.onnx", *SIZE)
    return slow_model(tmp_path / "net.onnx")


@pytest.fixture
def slow_and_wrong(tmp_path):
    """A slow model whose int8 form is fast and decides many pixels otherwise."""
    perturbed(threshold_model(tmp_path / "net-int8.onnx", *SIZE))
    return slow_model(tmp_path / "net.onnx")


def test_the_faster_file_is_taken_where_labels_agree(slow):
    """And the reason names both, with their times."""
    backend = load_backend(slow, "cpu")
    assert backend.spec.name == "threshold"
    assert backend.choice.fresh
    assert backend.choice.reason.startswith("onnxruntime int8: ")
    assert "(onnxruntime fp32 " in backend.choice.reason
    assert backend.note is None


def test_a_faster_file_with_other_labels_is_refused(slow_and_wrong):
    """However fast it is; and it is said."""
    backend = load_backend(slow_and_wrong, "cpu")
    assert backend.spec.name == "slow"
    assert "onnxruntime int8 refused: only " in backend.choice.reason
    assert "of its labels are those of fp32" in backend.choice.reason


def test_a_precision_that_is_asked_for_is_taken_with_a_note(slow_and_wrong):
    """The user's word counts; the share that was measured stands beside it, the second time too."""
    for _ in range(2):
        backend = load_backend(slow_and_wrong, "cpu", precision="int8")
        assert backend.spec.name == "threshold"
        assert "of the labels are those of fp32, usual are 99.5% or more" in backend.note


def test_the_same_question_is_answered_from_memory(slow):
    """With the same words, and no trial."""
    first, second = load_backend(slow, "cpu"), load_backend(slow, "cpu")
    assert (first.choice.fresh, second.choice.fresh) == (True, False)
    assert first.choice.reason == second.choice.reason
    assert second.spec.name == "threshold"


@pytest.mark.parametrize("change", ["threads", "streams", "file", "version", "damage", "unknown"])
def test_what_changes_the_answer_asks_again(slow, cache, monkeypatch, change):
    """Layout, model, libraries; and a memory that cannot be read or names what is not there."""
    load_backend(slow, "cpu")
    (kept,) = (cache / "trials").iterdir()
    options = {"threads": {"threads": 1}, "streams": {"streams": 2}}.get(change, {})
    if change == "file":
        with slow.with_name("net-int8.onnx").open("ab") as file:
            file.write(b"\x12\x01x")  # the name of what produced it
    if change == "version":
        monkeypatch.setattr("importlib.metadata.version", lambda _: "0")
    if change == "damage":
        kept.write_bytes(b"{\xff")
    if change == "unknown":
        kept.write_text('{"taken": "abacus", "reason": "", "agreement": 1}')
    assert load_backend(slow, "cpu", **options).choice.fresh


def test_a_cache_that_cannot_be_written_is_done_without(slow, tmp_path, monkeypatch):
    """It is only memory."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "file"))
    assert load_backend(slow, "cpu").choice.fresh


def test_where_there_is_nothing_to_win_nothing_is_tried(model):
    """A network of less than 2 ms stays with onnxruntime."""
    backend = load_backend(model)
    if backend.device.startswith("cuda"):
        pytest.skip("this machine has an NVIDIA GPU")
    assert backend.device == "cpu"
    assert backend.choice is None or not backend.choice.fresh


def test_one_way_alone_is_taken_without_a_trial(model, cache):
    """--device cpu without an int8 file leaves nothing to choose."""
    assert load_backend(model, "cpu").choice is None
    assert not cache.exists()


def test_a_precision_without_its_file_says_what_makes_it(model):
    """The name of the file and the command."""
    with pytest.raises(ModelError, match=r"needs 'threshold-int8\.onnx' beside the model; make it with "):
        load_backend(model, "cpu", precision="int8")


def test_a_precision_that_onnxruntime_lacks_on_cpus_names_openvino(model):
    """The way out is another device."""
    with pytest.raises(ModelError, match="'bf16' on the CPU needs OpenVINO; use --device openvino or --precision fp32"):
        load_backend(model, "cpu", precision="bf16")


def test_an_unknown_precision_lists_those_there_are(model, streamseg):
    """As an error of the library, and of the command line."""
    with pytest.raises(ModelError, match="no precision 'fp8'; use auto, fp32, bf16, mixed, fp16 or int8"):
        load_backend(model, precision="fp8")
    done = streamseg("run", "synthetic:", "null:", "--precision", "fp8")
    assert done.code == 2
    assert "'fp8' is not one of" in done.err


def test_a_run_says_once_what_it_took(streamseg, slow):
    """In one line where a trial was run, and later with -v only."""
    command = ("run", "synthetic:128x64,frames=2", "null:", "--model", slow, "--device", "cpu")
    said = [streamseg(*command).err, streamseg(*command).err, streamseg(*command, "-v").err]
    assert [text.count("network: onnxruntime int8: ") for text in said] == [1, 0, 1]

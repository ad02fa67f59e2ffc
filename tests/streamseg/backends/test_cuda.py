"""What a GPU is set up with, what happens when it cannot do something, and what it does where there is one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from streamseg.backends import load_backend
from streamseg.backends.nvidia import CUDA, TENSORRT, gpus
from streamseg.errors import ModelError
from tests.builders import threshold_model
from tests.pretended_gpu import PretendedGpu, show_gpu

needs_gpu = pytest.mark.skipif(not gpus(), reason="no NVIDIA GPU on this machine")
needs_none = pytest.mark.skipif(bool(gpus()), reason="this machine has an NVIDIA GPU")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of each test's own."""
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def shown(monkeypatch):
    """A driver that shows a GPU, which the provider cannot use."""
    show_gpu(monkeypatch)


@pytest.fixture
def pretended(shown, monkeypatch):
    """A GPU that works."""
    return PretendedGpu(monkeypatch)


def half_of(path, factor: float = 1 / 85.5):
    """A file that stands for the model in half precision; with another factor it decides otherwise."""
    proto = onnx.load(path)
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.float32(factor), "factor"))
    onnx.save(proto, path.with_name(f"{path.stem}-fp16.onnx"))
    return path


def grey(value: int) -> np.ndarray:
    """One 48x64 picture."""
    return np.full((1, 48, 64, 3), value, np.uint8)


@needs_none
def test_a_gpu_that_is_asked_for_and_not_used_is_an_error(model, shown):
    """The provider's own reason, and the way out."""
    with pytest.raises(
        ModelError, match=r"device 'cuda' cannot be used: .+; install streamseg\[cuda\]; usable here: auto"
    ):
        load_backend(model, "cuda")
    with pytest.raises(
        ModelError, match=r"device 'tensorrt' cannot be used: .+ tensorrt-cu13-libs<11; usable here: auto"
    ):
        load_backend(model, "tensorrt")


@needs_none
def test_auto_falls_back_to_the_cpu_with_a_note(model, shown):
    """The note says why the GPU was left out."""
    backend = load_backend(model)
    assert backend.device.startswith(("cpu", "openvino"))
    assert backend.notes[0].startswith("a GPU is present but cannot be used: ")
    assert int(backend.infer(grey(250))[0, 0, 0]) == 2


def test_a_gpu_that_the_driver_does_not_show_is_an_error(model, shown):
    """With the number that was asked for."""
    with pytest.raises(
        ModelError, match="device 'cuda:3' cannot be used: there is no GPU 3; those there are: 0 to 0; usable"
    ):
        load_backend(model, "cuda:3")


def test_a_file_gets_a_session_for_each_batch_size_and_a_camera_one(model, pretended):
    """With a CUDA graph, the convolutions' search, and the batch size fixed."""
    for streams, sizes in ((1, [1]), (4, [1, 2, 4, 8])):
        backend = load_backend(model, "cuda", precision="fp32", streams=streams)
        opened = pretended.opened[-len(sizes) :]
        assert [free for _, _, free in opened] == [{"n": size} for size in sizes]
        for provider, settings, _ in opened:
            assert provider == CUDA
            assert settings["enable_cuda_graph"] == "1"
            assert settings["cudnn_conv_algo_search"] == "EXHAUSTIVE"
        assert backend.device == "cuda:0 fp32"
        assert backend.notes == ()
        assert backend.streams >= streams


def test_callers_side_by_side_get_their_own_labels(model, pretended):
    """Through batches, from as many threads as the backend asks for."""
    backend = load_backend(model, "cuda", streams=4)
    values = np.random.default_rng(0).integers(0, 256, 200)
    with ThreadPoolExecutor(backend.streams) as pool:
        labels = [int(each[0, 0, 0]) for each in pool.map(lambda value: backend.infer(grey(value)), values)]
    assert labels == [int(np.float32(value) * np.float32(1 / 85.5)) for value in values]


def test_where_no_graph_can_be_captured_it_runs_without_and_says_so(model, pretended):
    """The settings of the sessions that are kept have none."""
    pretended.graphs = False
    backend = load_backend(model, "cuda", streams=2)
    assert backend.notes == ("without CUDA graphs: some steps of the network run on the CPU",)
    assert {settings["enable_cuda_graph"] for _, settings, _ in pretended.opened[-4:]} == {"0"}
    assert int(backend.infer(grey(250))[0, 0, 0]) == 2


def test_half_precision_is_tried_where_its_file_is_there(tmp_path, pretended):
    """In both layouts, and what was found is said and kept."""
    path = half_of(threshold_model(tmp_path / "net.onnx"))
    first, second = load_backend(path), load_backend(path)
    told = first.choice.reason
    for way in ("cuda:0 fp32", "cuda:0 fp32 channels last", "cuda:0 fp16", "cuda:0 fp16 channels last"):
        assert f"{way}: " in told or f"{way} " in told
    assert told == second.choice.reason
    assert (first.choice.fresh, second.choice.fresh) == (True, False)
    assert first.device == second.device


def test_half_precision_with_other_labels_is_refused(tmp_path, pretended):
    """By itself; named, it is taken with a note."""
    path = half_of(threshold_model(tmp_path / "net.onnx"), factor=1 / 128)
    backend = load_backend(path, "cuda")
    assert backend.device == "cuda:0 fp32"
    assert "cuda:0 fp16 refused: only " in backend.choice.reason
    named = load_backend(path, "cuda", precision="fp16")
    assert named.device == "cuda:0 fp16"
    assert "of the labels are those of fp32" in named.notes[0]


def test_half_precision_without_its_file_says_what_makes_it(model, pretended):
    """As for CPUs."""
    with pytest.raises(ModelError, match=r"needs a file 'threshold-fp16\.onnx' beside the model; make it with "):
        load_backend(model, "cuda", precision="fp16")
    with pytest.raises(ModelError, match="cuda cannot compute in precision 'int8'; devices that can: cpu, openvino"):
        load_backend(model, "cuda", precision="int8")


def test_tensorrt_keeps_its_engines_and_makes_half_precision_itself(model, pretended, cache):
    """Engines of each model and size in a folder of their own, timings in one."""
    backend = load_backend(model, "tensorrt:0", precision="fp16", streams=2)
    assert backend.device == "tensorrt:0 fp16"
    opened = pretended.opened[-4:]
    assert {provider for provider, _, _ in opened} == {TENSORRT}
    settings = [settings for _, settings, _ in opened]
    assert [each["trt_profile_opt_shapes"] for each in settings] == [f"frames:{n}x48x64x3" for n in (1, 2, 4, 8)]
    assert {each["trt_fp16_enable"] for each in settings} == {"1"}
    assert {each["trt_timing_cache_path"] for each in settings} == {str(cache / "tensorrt")}
    assert len({each["trt_engine_cache_path"] for each in settings}) == 4


@needs_gpu
def test_cuda_really_runs_with_graphs_and_the_labels_of_the_cpu(tmp_path):
    """The bundled model, in batches from several threads."""
    backend, plain = load_backend(device="cuda", streams=4), load_backend(device="cpu", precision="fp32")
    assert backend.device.startswith("cuda:0")
    assert backend.notes == ()
    frames = np.random.default_rng(0).integers(0, 256, (12, 1, *(plain.spec.height, plain.spec.width), 3), np.uint8)
    with ThreadPoolExecutor(backend.streams) as pool:
        labels = np.concatenate(list(pool.map(backend.infer, frames)))
    assert np.mean(labels == np.concatenate([plain.infer(frame) for frame in frames])) > 0.98  # noise, not pictures

"""What a GPU is measured by; the arithmetic is the CPU's where there is none."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks import gpu, gpu_network
from benchmarks.gpu import network_figures, report
from benchmarks.gpu_network import gflop_of, latency_s, throughput_fps
from benchmarks.results import record
from streamseg.backends import load_backend
from streamseg.backends.batching import Batching
from streamseg.backends.io_binding import Memory
from streamseg.backends.nvidia import gpus
from streamseg.errors import ModelError
from tests.builders import logits_model, write_clip
from tests.pretended_gpu import PretendedGpu


@pytest.mark.skipif(bool(gpus()), reason="this machine has an NVIDIA GPU")
def test_without_a_gpu_it_ends_with_one_line():
    """Which says that there is nothing to measure."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.gpu"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "gpu: nothing to measure on cuda:0: no NVIDIA GPU was found\n"


@pytest.mark.skipif(not gpus(), reason="no NVIDIA GPU on this machine")
def test_a_gpu_is_measured_from_the_network_to_the_whole(tmp_path):
    """Every figure is there, and both shares are said at the end."""
    clip, kept = write_clip(tmp_path / "clip.mp4", frames=120), tmp_path / "gpu.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", clip, "--runs", "20", "--seconds", "1", "--json", kept],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("end to end, share of the slowest of the three: ")
    result = json.loads(kept.read_text())["result"]
    assert all(result["end_to_end"][name] > 0 for name in ("decoder_fps", "encoder_fps", "fps"))
    assert [each["batch"] for each in result["networks"][0]["bare"]] == [1, 2, 4, 8]


def test_a_network_is_measured_bare_and_through_streamseg(model, monkeypatch):
    """For each batch size the fastest way, and streamseg's share of the best."""
    PretendedGpu(monkeypatch)
    monkeypatch.setattr(gpu_network, "Memory", lambda *_: Memory("cpu"))
    figures = network_figures(str(model), "cuda:0", runs=3, seconds=0.1)
    assert [each["batch"] for each in figures["bare"]] == [1, 2, 4, 8]
    assert all(each["ms"] > 0 and each["graph"] for each in figures["bare"])
    assert figures["share"] == figures["streamseg"]["fps"] / max(each["fps"] for each in figures["bare"])
    assert figures["streamseg"]["one_caller_ms"] > 0
    assert figures["size"] == "64x48"


def test_where_no_graph_can_be_captured_the_bare_provider_runs_without(model, monkeypatch):
    """And the table says so."""
    PretendedGpu(monkeypatch).graphs = False
    monkeypatch.setattr(gpu_network, "Memory", lambda *_: Memory("cpu"))
    figures = network_figures(str(model), "cuda:0", runs=1, seconds=0.05)
    assert not any(each["graph"] for each in figures["bare"])


def test_callers_are_counted_and_their_error_is_not_lost(model):
    """From as many threads as the backend has streams."""
    backend = Batching(load_backend(model, "cpu"), streams=3)
    assert throughput_fps(backend, 0.2) > 0
    assert latency_s(backend, 3) > 0
    backend.close()
    with pytest.raises(ModelError, match="was closed"):
        throughput_fps(backend, 0.01)


def test_operations_are_those_of_the_convolutions(tmp_path):
    """Nine products and sums for each of 48x64 pixels."""
    assert gflop_of(logits_model(tmp_path / "net.onnx")) == pytest.approx(2 * 9 * 48 * 64 / 1e9)


def test_the_report_quotes_the_datasheet_and_both_shares():
    """Of 1000 frames of 50 GFLOP a second, 50 TFLOP/s; end to end by the slowest of the three."""
    bare = [{"way": "cuda:0 fp16", "batch": n, "ms": 1.0 * n, "fps": 1000.0, "graph": n < 8} for n in (1, 8)]
    ours = {"fps": 950.0, "callers": 16, "note": None, "one_caller_ms": 1.2}
    network = {"model": "net", "size": "512x288", "gflop": 50.0, "device": "cuda:0 fp16", "bare": bare,
               "streamseg": ours, "share": 0.95}  # fmt: skip
    whole = {
        "decoder_fps": 900.0,
        "encoder_fps": 400.0,
        "fps": 380.0,
        "cpu_ms": 9.0,
        "device": "cuda:0 fp16",
        "share": 0.95,
    }
    settings = {"gpu": "A GPU", "device": "cuda:0", "clip": "clip.mp4", "peak_tflops": 100.0}
    text = report(record("gpu", settings, {"networks": [network], "end_to_end": whole}))
    assert "bare best: 50.0 TFLOP/s, 50% of the datasheet's 100; streamseg's share of it: 0.95" in text
    assert "cuda:0 fp16, no graph" in text
    assert text.splitlines()[-2:] == [
        "network, share of the bare provider: 0.95",
        "end to end, share of the slowest of the three: 0.95",
    ]


def test_a_device_that_is_no_gpu_is_refused(capsys, monkeypatch):
    """Usage, with what there is."""
    monkeypatch.setattr(sys, "argv", ["gpu", "--device", "cpu"])
    with pytest.raises(SystemExit):
        gpu.main()
    assert "'cpu' is no NVIDIA GPU; use cuda[:N] or tensorrt[:N]" in capsys.readouterr().err

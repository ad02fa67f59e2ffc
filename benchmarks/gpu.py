"""How fast is an NVIDIA GPU used?

    python -m benchmarks.gpu
    python -m benchmarks.gpu clip.mp4 --model vgg16.onnx --model resnet50.onnx --device tensorrt --peak-tflops 989

For the bundled model, or each that is given, at its own size:

bare        onnxruntime's provider with inputs and outputs that lie on the GPU and stay there, a CUDA graph, batches of
            1, 2, 4 and 8, in every precision whose file is there and both layouts; the fastest of each batch
streamseg   the backend as `load_backend` gives it, frames in the computer's memory to labels there: one caller alone,
            and as many callers as a file gets

and for the clip, each alone and as fast as it can: the decoder, the encoder (the one that streamseg takes here, every
core, the overlay of the first model kept without loss), and `streamseg run` from the clip to the overlay.

Two shares: of the network, streamseg's by the bare provider's best; end to end, by the slowest of decoder, bare network
and encoder. --peak-tflops is what the datasheet promises for the precision taken; the operations counted are those of
the convolutions. Without a GPU there is nothing to measure, and it says so.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.clips import made_clip
from benchmarks.gpu_network import Bare, bare, gflop_of, latency_s, throughput_fps
from benchmarks.limit import decoded, encoder_for, lossless_overlay
from benchmarks.process import alone
from benchmarks.results import add_output_options, deliver, machine_line, record, table
from benchmarks.streamseg_run import as_arguments, run
from streamseg import load_backend, open_source, throughput_streams
from streamseg.backends import DEFAULT_MODEL, find_model
from streamseg.backends.base import Request
from streamseg.backends.engines import device_names, engines, parse_device
from streamseg.backends.nvidia import GpuModel, NvidiaEngine, batch_sizes
from streamseg.errors import ModelError
from streamseg.sinks.formats import format_of
from streamseg.sinks.hardware_encoders import choose_encoder

_HELD = 90  # frames of the overlay in memory while the encoder is measured


def measured(
    models: Sequence[str],
    device: str,
    clip: str,
    *,
    runs: int,
    seconds: float,
    peak_tflops: float | None = None,
    lock: Path | None = None,
) -> dict[str, Any]:
    """The record of a whole measurement. device: of an NVIDIA GPU."""
    with alone(lock):
        networks = [network_figures(model, device, runs=runs, seconds=seconds) for model in models]
        whole = end_to_end(clip, models[0], device)
    best = max(each["fps"] for each in networks[0]["bare"])  # end to end runs the first model
    slowest = min(whole["decoder_fps"], best, whole["encoder_fps"])
    engine, _, number = parse_device(device)
    settings = {"gpu": engine.hardware(number), "device": device, "clip": Path(clip).name, "models": list(models),
                "runs": runs, "seconds": seconds, "peak_tflops": peak_tflops}  # fmt: skip
    return record("gpu", settings, {"networks": networks, "end_to_end": {**whole, "share": whole["fps"] / slowest}})


def network_figures(model: str, device: str, *, runs: int, seconds: float) -> dict[str, Any]:
    """One model: by the bare provider for each batch size, and through streamseg."""
    path = find_model(model)
    many = load_backend(path, device, streams=throughput_streams())
    fps = throughput_fps(many, seconds)
    ours = {"fps": fps, "callers": many.streams, "note": "; ".join(many.notes) or None,
            "one_caller_ms": 1000 * latency_s(load_backend(path, device), runs)}  # fmt: skip
    ways = ways_of(path, device)
    found = [fastest(ways, batch, runs) for batch in batch_sizes(path, 2)]
    best = max(each.fps for each in found)
    size = f"{many.spec.width}x{many.spec.height}"
    return {"model": path.stem, "size": size, "gflop": gflop_of(path), "device": many.device, "streamseg": ours,
            "bare": [{**asdict(each), "fps": each.fps} for each in found],
            "share": fps / best}  # fmt: skip


def ways_of(path: Path, device: str) -> list[GpuModel]:
    """All ways to run a model on a GPU. Raises ModelError for another device."""
    engine, name, number = parse_device(device)
    if not isinstance(engine, NvidiaEngine):
        raise ModelError(f"'{device}' is no NVIDIA GPU")
    return [model for _, model in engine.models(Request(path, name, number))]


def fastest(ways: Sequence[GpuModel], batch: int, runs: int) -> Bare:
    """The bare provider's best for a batch size. Raises ModelError when none runs."""
    results: list[Bare] = []
    failure = ModelError("the model runs in no way on this GPU")
    for way in ways:
        try:
            results.append(bare(way, batch, runs))
        except ModelError as error:
            failure = error
    if not results:
        raise failure
    return min(results, key=lambda each: each.ms)


def end_to_end(clip: str, model: str, device: str) -> dict[str, Any]:
    """Frames a second of the decoder alone, the encoder alone, and `streamseg run`."""
    network = {"model": model, "device": device}
    with tempfile.TemporaryDirectory(prefix="streamseg-gpu-") as folder:
        # without loss, or the encoder would be given an easier picture than it gets in a run
        overlay = Path(folder) / "lossless.mkv"
        lossless_overlay(clip, overlay, network, 3 * _HELD)
        arguments = [*as_arguments(network), "--every", "1"]  # the network is what is measured
        run(
            clip, Path(folder) / "out.mp4", [*arguments, "--max-frames", "1"]
        )  # trials and engines are no part of a run
        last = run(clip, Path(folder) / "out.mp4", arguments)
        return {
            "decoder_fps": decoder_fps(clip),
            "encoder_fps": encoder_fps(str(overlay)),
            "fps": last.fps,
            "cpu_ms": last.cpu_ms,
            "device": last.device,
        }


def decoder_fps(clip: str) -> float:
    """streamseg's source by itself."""
    with open_source(clip) as source:
        start_s = time.perf_counter()
        count = sum(1 for _ in source)
        return count / (time.perf_counter() - start_s)


def encoder_fps(overlay: str) -> float:
    """The encoder that streamseg takes by itself, on all cores; packets are thrown away."""
    frames = list(islice(decoded(overlay), _HELD))  # decoded before, so that the encoder alone is timed
    path = Path("overlay.mp4")
    codec = choose_encoder("auto", format_of(path), (frames[0].height, frames[0].width), path).codec
    encoder = encoder_for(frames[0], codec, threads=0)
    start_s = time.perf_counter()
    for frame in frames:
        encoder.encode(frame)
    encoder.encode(None)  # what it still holds counts too
    return len(frames) / (time.perf_counter() - start_s)


def report(measurement: Mapping[str, Any]) -> str:
    """The tables; the last two lines are the shares of the first model."""
    settings, result = measurement["settings"], measurement["result"]
    lines = [machine_line(measurement), f"{settings['gpu']}, {settings['device']}"]
    for network in result["networks"]:
        lines += ["", *_network_lines(network, settings["peak_tflops"])]
    whole, first = result["end_to_end"], result["networks"][0]
    rows = [
        ["decoder alone", f"{whole['decoder_fps']:.0f}"],
        ["network alone, bare", f"{max(each['fps'] for each in first['bare']):.0f}"],
        ["encoder alone", f"{whole['encoder_fps']:.0f}"],
        [f"streamseg run on {whole['device']}", f"{whole['fps']:.0f}"],
    ]
    lines += ["", table([settings["clip"], "fps"], rows), ""]
    lines += [
        f"network, share of the bare provider: {first['share']:.2f}",
        f"end to end, share of the slowest of the three: {whole['share']:.2f}",
    ]
    return "\n".join(lines)


def _network_lines(network: Mapping[str, Any], peak_tflops: float | None) -> list[str]:
    ours, best = network["streamseg"], max(network["bare"], key=lambda each: each["fps"])
    rows = [
        [f"bare, batch {each['batch']}", f"{each['ms']:.2f}", f"{each['fps']:.0f}",
         each["way"] + ("" if each["graph"] else ", no graph")]
        for each in network["bare"]
    ]  # fmt: skip
    one_ms = ours["one_caller_ms"]
    rows += [
        ["streamseg, one caller", f"{one_ms:.2f}", f"{1000 / one_ms:.0f}", network["device"]],
        [f"streamseg, {ours['callers']} callers", "", f"{ours['fps']:.0f}", ours["note"] or network["device"]],
    ]
    tflops = best["fps"] * network["gflop"] / 1000  # GFLOP a second to TFLOP
    peak = f", {tflops / peak_tflops:.0%} of the datasheet's {peak_tflops:g}" if peak_tflops else ""
    return [
        f"{network['model']}, {network['size']}, {network['gflop']:.1f} GFLOP a frame",
        table(["", "ms a run", "fps", "way"], rows),
        f"bare best: {tflops:.1f} TFLOP/s{peak}; streamseg's share of it: {network['share']:.2f}",
    ]


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", help="a video file; default: 10 s of the built-in scene, 1280x720")
    parser.add_argument("--size", default="1280x720", help="of the made clip, WIDTHxHEIGHT")
    parser.add_argument(
        "--model", action="append", metavar="FILE|NAME", help="may be repeated; default: the bundled one"
    )
    parser.add_argument("--device", default="cuda:0", help="of an NVIDIA GPU, as of `streamseg run` (default: cuda:0)")
    parser.add_argument("--runs", type=int, default=200, help="of a batch; the medians are reported (default: 200)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of all callers at once (default: 5)")
    parser.add_argument("--peak-tflops", type=float, help="of the GPU's datasheet, in the precision taken")
    parser.add_argument("--lock", type=Path, help="a file to hold with flock while something is measured")
    add_output_options(parser)
    options = parser.parse_args()
    try:
        engine, name, number = parse_device(options.device)
    except ModelError as error:
        parser.error(str(error))
    if not isinstance(engine, NvidiaEngine):
        names = device_names(each for each in engines() if isinstance(each, NvidiaEngine))
        parser.error(f"'{options.device}' is no NVIDIA GPU; use {' or '.join(names)}")
    device = f"{name}:{number}"
    if not engine.hardware(number):
        raise SystemExit(f"gpu: nothing to measure on {device}: {engine.why_not() or f'there is no GPU {number}'}")
    clip = options.clip or str(made_clip(options.size))
    models = options.model or [DEFAULT_MODEL]
    measurement = measured(
        models, device, clip, runs=options.runs, seconds=options.seconds,
        peak_tflops=options.peak_tflops, lock=options.lock,
    )  # fmt: skip
    deliver(measurement, options, measurement["settings"]["gpu"])
    print(report(measurement))


if __name__ == "__main__":
    main()

"""Small real things that tests are made of: ONNX models and clips, written when asked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from streamseg.spec import METADATA_KEY, ModelSpec, SegmentClass, TensorRules

THREE_CLASSES = (
    SegmentClass(0, "dark", (20, 20, 220)),
    SegmentClass(1, "middle", (20, 220, 20)),
    SegmentClass(2, "bright", (220, 20, 20)),
)
"""What `threshold_model` tells apart: mean of the channels up to 85, up to 170, above."""


def threshold_model(path: Path, height: int = 48, width: int = 64, *, described: bool = True) -> Path:
    """Write a real ONNX segmenter of three classes by brightness, in streamseg's own form."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["frames"], ["values"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["values"], ["mean"], axes=[3], keepdims=0),
            helper.make_node("Mul", ["mean", "factor"], ["scaled"]),
            helper.make_node("Cast", ["scaled"], ["labels"], to=TensorProto.UINT8),
        ],
        "threshold",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", height, width, 3])],
        [helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", height, width])],
        [numpy_helper.from_array(np.float32(1 / 85.5), "factor")],
    )
    spec = ModelSpec("threshold", height, width, THREE_CLASSES, licence="MIT")
    return save_model(graph, path, spec.to_json() if described else None)


def logits_model(path: Path, height: int = 48, width: int = 64) -> Path:
    """Write a segmenter as other projects export them: float NCHW RGB in, logits out, no description."""
    weights = np.zeros((3, 3, 1, 1), np.float32)
    weights[0] = -1 / 3  # darkness
    weights[2] = 1 / 3  # brightness
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weights", "bias"], ["logits"])],
        "logits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3, height, width])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1 / 3, 0, -2 / 3], np.float32), "bias"),
        ],
    )
    return save_model(graph, path, None)


def sure_model(path: Path, kind: int = TensorProto.UINT8) -> Path:
    """Write a segmenter that gives labels by brightness, and the first channel as confidence, of an ONNX type."""
    inputs = [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 48, 64, 3])]
    outputs = [
        helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", 48, 64]),
        helper.make_tensor_value_info("confidence", kind, ["n", 48, 64]),
    ]
    nodes = [
        helper.make_node("Gather", ["frames", "first"], ["blue"], axis=3),
        helper.make_node("Cast", ["blue"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["values", "factor"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["labels"], to=TensorProto.UINT8),
        helper.make_node("Cast", ["blue"], ["confidence"], to=kind),
    ]
    constants = [
        numpy_helper.from_array(np.int64(0), "first"),
        numpy_helper.from_array(np.float32(1 / 85.5), "factor"),
    ]
    graph = helper.make_graph(nodes, "sure", inputs, outputs, constants)
    spec = ModelSpec("sure", 48, 64, THREE_CLASSES, tensors=TensorRules(output_name="labels"))
    return save_model(graph, path, spec.to_json())


def offering(path: Path, *sizes: tuple[int, int]) -> Path:
    """Put sizes of (height, width) into the description of a model file."""
    model = onnx.load(path)
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = replace(ModelSpec.from_json(entry.value), sizes=sizes).to_json()
    onnx.save(model, path)
    return path


def save_model(graph: onnx.GraphProto, path: Path, description: str | None) -> Path:
    """Check a graph with onnx's own checker and write it, with streamseg metadata if given."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if description is not None:
        helper.set_model_props(model, {METADATA_KEY: description})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def write_clip(
    path: Path,
    frames: int = 20,
    size: tuple[int, int] = (96, 128),
    fps: Fraction = Fraction(25),
    *,
    sound: bool = False,
) -> Path:
    """Write an H.264 clip whose brightness rises from left to right and moves; with AAC sound if asked."""
    height, width = size
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        ramp = np.linspace(0, 255, width, dtype=np.float32)
        for index in range(frames):
            row = np.roll(ramp, 2 * index).astype(np.uint8)
            picture = np.repeat(np.repeat(row[None, :, None], height, 0), 3, 2)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode(None))
        if audio is not None:
            samples = round(48000 * frames / fps)
            for start in range(0, samples, 1024):
                wave = np.sin(np.arange(start, start + 1024) / 20).astype(np.float32)[None]
                frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 48000, start
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path

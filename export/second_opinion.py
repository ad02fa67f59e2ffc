"""The model file in other inference libraries: do they run it, and do they say the same?

Each runs in a process of its own, since a library that does not know an operator may abort the whole process.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.backends.openvino import openvino_library
from streamseg.backends.stderr import captured_stderr

if TYPE_CHECKING:
    from streamseg.pixels import Image

    Infer = Callable[[Path, Image], Image]

_LONGEST_REASON = 100  # of a library's message, so that each opinion stays one line


def second_opinions(path: Path, frames: Sequence[Image], labels: Sequence[Image]) -> Iterator[str]:
    """One line for each library: the share of labels equal to those given, or why there is none.

    frames: (height, width, 3) uint8 each, at the network's size.
    labels: (height, width) uint8 each, ONNX Runtime's.
    """
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with TensorFlow's threads hangs
    for name, (module, package, infer) in LIBRARIES.items():
        if importlib.util.find_spec(module) is None:
            yield f"{name}: skipped, {package} is not installed"
            continue
        try:
            with ProcessPoolExecutor(1, spawn) as pool:
                found = pool.submit(_quietly, infer, path, np.stack(frames)).result()
            yield f"{name} {version(package)}: {np.mean(found == np.stack(labels)):.5f} of the labels equal"
        except BrokenProcessPool:
            yield f"{name} {version(package)}: cannot run it (it crashed)"
        except Exception as error:  # whatever a library raises is its opinion
            reason = " ".join(str(error).split())
            yield f"{name} {version(package)}: cannot run it ({reason[:_LONGEST_REASON]})"


def openvino_labels(path: Path, frames: Image) -> Image:
    """What OpenVINO says, on the CPU in float32: (n, height, width, 3) uint8 -> (n, height, width) uint8."""
    # else OpenVINO takes bf16 by itself where the processor has it
    compiled = openvino_library().Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([compiled(frame[None])["labels"] for frame in frames])


def opencv_labels(path: Path, frames: Image) -> Image:
    """What OpenCV's DNN module says: (n, height, width, 3) uint8 -> (n, height, width) uint8."""
    import cv2

    network = cv2.dnn.readNetFromONNX(str(path))
    found: list[Any] = []
    for frame in frames:
        network.setInput(frame[None], "frames")
        found.append(network.forward("labels"))
    return np.concatenate(found).reshape(frames.shape[:3]).astype(np.uint8)


LIBRARIES: dict[str, tuple[str, str, Infer]] = {
    "OpenVINO": ("openvino", "openvino", openvino_labels),
    "OpenCV DNN": ("cv2", "opencv-python", opencv_labels),
}
"""Library by name: its module, its package, and how it infers."""


def _quietly(infer: Infer, path: Path, frames: Image) -> Image:
    with captured_stderr():
        return infer(path, frames)

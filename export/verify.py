"""Is the exported file the network that was trained? The same pictures through Keras and ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from export.to_onnx import INPUT, LOGITS
from streamseg.backends import load_backend
from streamseg.backends.ort import cpu_session
from streamseg.errors import ModelError
from train.fcn8s import enlarged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image, Size


@dataclass(frozen=True)
class Parity:
    """How near the file is to the network.

    logit_difference: the largest, either way; largest_logit: of the network, by amount.
    equal: share of labels, 0..1.
    labels: what the file says, (height, width) uint8 for each picture.
    """

    logit_difference: float
    largest_logit: float
    equal: float
    labels: list[Image]


def parity(model: keras.Model, label_stride: int, file: Path, with_logits: Path, frames: Sequence[Image]) -> Parity:
    """The file against the network as it was trained, before anything was folded.

    label_stride: that the file was exported with.
    file: goes through the runtime.
    with_logits: a file of the same graph with one output more, the logits.
    frames: (height, width, 3) uint8 each, at the network's size; at least one.
    """
    # before folding: whatever the export does to the network, this is what was trained
    expected = [np.asarray(model.predict_on_batch(frame[None])) for frame in frames]
    found, labels = logits_of(with_logits, frames), labels_of(file, frames)
    # enlarged and decided by Keras, not by the graph under test
    wanted = [winners(each, frames[0].shape[0], label_stride)[0] for each in expected]
    return Parity(
        logit_difference=max(float(np.abs(one - other).max()) for one, other in zip(expected, found, strict=True)),
        largest_logit=max(float(np.abs(each).max()) for each in expected),
        equal=float(np.mean(np.stack(wanted) == np.stack(labels))),
        labels=labels,
    )


def logits_of(path: Path, frames: Sequence[Image]) -> list[NDArray[np.float32]]:
    """(1, h, w, classes) float32 for each frame."""
    session = cpu_session(str(path))
    planes = [session.run([LOGITS], {INPUT: frame[None]})[0] for frame in frames]
    return [each.astype(np.float32).transpose(0, 2, 3, 1) for each in planes]  # a half-precision file gives float16


def labels_of(path: Path, frames: Sequence[Image], size: Size | None = None) -> list[Image]:
    """(height, width) uint8 for each frame, from the runtime. size: (height, width) of the frames; None: the file's."""
    backend = load_backend(path, device="cpu", size=size)
    return [backend.infer(frame[None])[0] for frame in frames]


def winners(logits: Any, height: int, label_stride: int) -> Image:
    """What the file's labels should be: (n, h, w, classes) float32 -> (n, height, width) uint8.

    height: of the labels.
    """
    decided = keras.ops.convert_to_numpy(enlarged(logits, height // logits.shape[1] // label_stride)).argmax(-1)
    labels: Image = decided.astype(np.uint8).repeat(label_stride, 1).repeat(label_stride, 2)
    return labels


def require_equal(share: float, least: float) -> None:
    """Raises ModelError when fewer labels agree than must."""
    if share < least:
        raise ModelError(
            f"the exported model gives other labels than the trained one: {share:.5f} of the pixels are equal, "
            f"at least {least:.5f} must be (--least-equal); nothing was written"
        )


def require_miou(before: float, after: float, most_loss: float, where: str) -> None:
    """Raises ModelError when the file scores too much less than the network; NaN, nothing labelled, is no loss.

    before, after: mean IoU, 0..1, of the network and of the file.
    where: the data set's name.
    """
    if before - after > most_loss:
        raise ModelError(
            f"the exported model has mean IoU {after:.4f} on {where}, the trained one {before:.4f}; at most "
            f"{most_loss} may be lost (--most-miou-loss); nothing was written"
        )

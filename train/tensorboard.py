"""Event files for TensorBoard. Writing them needs TensorFlow only; looking at them, `pip install tensorboard`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from streamseg.errors import UsageError

if TYPE_CHECKING:
    from streamseg.pixels import Image


class Board:
    """Scalars and pictures under one folder."""

    def __init__(self, folder: Path) -> None:
        """
        folder: made where it is missing; every process adds a file of its own to it.

        Raises:
            UsageError: TensorFlow is not installed.
        """
        try:
            import tensorflow as tf
        except ImportError as error:
            raise UsageError("--tensorboard needs TensorFlow; pip install tensorflow, or leave it out") from error
        self._summary = tf.compat.v1.Summary
        self._write = tf.summary.experimental.write_raw_pb
        self._writer = tf.summary.create_file_writer(str(folder))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name, as they were after training step number `step`."""
        self._add(step, [self._summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])

    def picture(self, step: int, name: str, picture: Image) -> None:
        """A (height, width, 3) uint8 BGR picture, stored as PNG."""
        packed = cv2.imencode(".png", picture)[1].tobytes()
        height, width = picture.shape[:2]
        image = self._summary.Image(height=height, width=width, colorspace=3, encoded_image_string=packed)
        self._add(step, [self._summary.Value(tag=name, image=image)])

    def flush(self) -> None:
        """Everything so far is in the file."""
        # a training that is killed must not take its last epoch along
        self._writer.flush()

    def _add(self, step: int, values: list[Any]) -> None:
        with self._writer.as_default():
            self._write(self._summary(value=values).SerializeToString(), step=step)

"""A folder of masks: class ids, pixel for pixel."""

from __future__ import annotations

from pathlib import Path

import cv2

from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.picture_files import PictureFiles

# Labels are enlarged, so most rows repeat the one above: at 720p 1.8 ms and 14 kB, OpenCV's defaults 2.2 ms and 29 kB.
_PNG = (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)


class MaskFolderSink(Sink):
    """Writes the labels of each frame as an 8-bit single-channel PNG of class ids, at the frame's own size.

    Masks are named by the stem of the source's picture, or 000000.png by the frame's index.
    """

    stage = "write masks"
    side = True

    def __init__(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """
        folder: made where it is missing.
        overwrite: replace masks that are there.

        Raises:
            SinkError: `folder` is a file, is not writable, or another run is writing to it.
        """
        self._files = PictureFiles(Path(folder), overwrite=overwrite, settings=_PNG)
        self.place: str | None = str(folder)

    def write(self, segmentation: Segmentation) -> None:
        frame = segmentation.frame
        self._files.write(frame, segmentation.labels_at(frame.size))

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # each picture was finished when it was written
        self._files.close()
        if not self._files.written:
            self.place = None

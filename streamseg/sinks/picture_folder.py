"""A folder of overlay pictures."""

from __future__ import annotations

from pathlib import Path

from streamseg.frame import StreamInfo
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.files import refuse_source
from streamseg.sinks.picture_files import PictureFiles


class PictureFolderSink(Sink):
    """Writes each painted picture under the stem of the source's picture, or as 000000.png by the frame's index.

    Pictures are PNG: where no class is painted, they are the source's exact pixels.
    """

    stage = "write pictures"

    def __init__(self, folder: str | Path, info: StreamInfo, painter: Painter, *, overwrite: bool = False) -> None:
        """
        folder: made where it is missing.
        overwrite: replace pictures that are there.

        Raises:
            SinkError: `folder` is the source's, is a file, is not writable, or another run is writing to it.
        """
        refuse_source(Path(folder), info)
        self._files = PictureFiles(Path(folder), overwrite=overwrite)
        self._painter = painter
        self.place: str | None = str(folder)

    def write(self, segmentation: Segmentation) -> None:
        self._files.write(segmentation.frame, self._painter.bgr(segmentation))

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # each picture was finished when it was written
        self._files.close()
        if not self._files.written:
            self.place = None

"""Overlays as pictures: a folder of them, numbered ones, or a single one."""

from __future__ import annotations

from pathlib import Path

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.errors import SinkError
from streamseg.file_tag import written_by_streamseg
from streamseg.frame import StreamInfo
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.files import refuse_source
from streamseg.sinks.picture_files import PictureFiles, encoded


class PictureFolderSink(Sink):
    """Writes each painted picture under the stem of the source's picture, or as 000000.png by the frame's index.

    Pictures are PNG: where no class is painted, they are the source's exact pixels.
    """

    stage = "write pictures"

    def __init__(
        self,
        folder: str | Path,
        info: StreamInfo,
        painter: Painter,
        *,
        overwrite: bool = False,
        pattern: str | None = None,
    ) -> None:
        """
        folder: made where it is missing.
        overwrite: replace pictures that are there and that streamseg wrote.
        pattern: names by the frame's index, such as "%06d.png" or "frame_%04d.jpg"; None as said above.

        Raises:
            SinkError: `folder` is the source's, is a file, is not writable, or another run is writing to it.
        """
        refuse_source(Path(folder), info)
        self._files = PictureFiles(Path(folder), overwrite=overwrite, pattern=pattern)
        self._painter = painter
        self.place: str | None = str(folder if pattern is None else Path(folder) / pattern)

    def write(self, segmentation: Segmentation) -> None:
        self._files.write(segmentation.frame, self._painter.bgr(segmentation))

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # each picture was finished when it was written
        self._files.close()
        if not self._files.written:
            self.place = None


def numbered_pictures(path: str | Path, info: StreamInfo, painter: Painter, *, overwrite: bool = False) -> Sink:
    """Pictures by a pattern such as out/%06d.png. Raises SinkError as `PictureFolderSink` does."""
    return PictureFolderSink(Path(path).parent, info, painter, overwrite=overwrite, pattern=Path(path).name)


class PictureFileSink(Sink):
    """Writes one painted picture, .png or .jpg, of a source that has one."""

    stage = "write pictures"

    def __init__(self, path: str | Path, info: StreamInfo, painter: Painter, *, overwrite: bool = False) -> None:
        """
        path: ends in .png, .jpg or .jpeg. The folder must exist.
        info: of the source.
        overwrite: replace a picture that is there and that streamseg wrote.

        Raises:
            SinkError: the source is known to have more pictures, the file is there or is the source, the place is not
                writable, or another run is writing it.
        """
        target = Path(path)
        self._path = target
        if info.live or (info.frame_count or 1) > 1:
            raise self._too_many()
        refuse_source(target, info)
        self._file = AtomicFile(target, overwrite=overwrite, ours=written_by_streamseg)
        self._painter = painter
        self._written = 0
        self.place: str | None = str(target)

    def write(self, segmentation: Segmentation) -> None:
        if self._written:  # the source did not say how many there are
            raise self._too_many()
        try:
            self._file.partial.write_bytes(encoded(self._painter.bgr(segmentation), self._path.suffix.lower()))
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._written += 1

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            if outcome != "failed" and self._written:
                kept = outcome == "broken" and self._path.exists()
                self.place = str(self._file.keep() if kept else self._file.commit())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        finally:
            self._file.discard()

    def _too_many(self) -> SinkError:
        numbered = self._path.with_stem(f"{self._path.stem}_%06d")
        return SinkError(
            f"cannot write '{self._path}': it is one picture, and the source has more; "
            f"write '{numbered}' for all of them, or pass `max_frames=1`"
        )

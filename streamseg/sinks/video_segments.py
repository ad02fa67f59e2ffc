"""A recording that goes on for long, in files of equal length that are each complete as soon as the next one begins."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

from streamseg.atomic import remove_leftovers
from streamseg.errors import UsageError
from streamseg.frame import StreamInfo
from streamseg.options import EncoderName
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.formats import format_of
from streamseg.sinks.video_file import VideoFileSink


class SegmentedVideoSink(Sink):
    """Writes videos of a given length, named by when each begins: out.mp4 becomes out_20261122-184819+0100.mp4.

    None is ever replaced: where that name is taken, as after a clock that was set back, it gets a number.

    Finishing a file moves its index in front of its data, which takes a moment; it is done on a thread of its own, so
    that what is live goes on meanwhile.
    """

    stage = "encode"

    def __init__(
        self,
        path: str | Path,
        info: StreamInfo,
        painter: Painter,
        *,
        length_s: float,
        overwrite: bool = False,  # noqa: ARG002 - taken as every sink takes it
        encoder: EncoderName = "auto",
        crf: int | None = None,
        bitrate: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """
        path: what the files are called after; its suffix names the kind of file. The folder must exist.
        info: of a live source.
        length_s: of each file; it ends with the first frame that comes later.
        overwrite: changes nothing, since no segment replaces a file.
        encoder, crf, bitrate: see `VideoFileSink`.
        now: the time of day, with its zone.

        Raises:
            SinkError: the suffix names no video, or the place is not writable.
            UsageError: a length that is not above 0, or a source that is not live.
        """
        if not info.live:
            raise UsageError(
                f"segments are for live sources; '{info.address}' is a recording, and is written as one file"
            )
        if not length_s > 0:
            raise UsageError(f"`length_s` must be more than 0 seconds, got {length_s:g}")
        self._path = Path(path)
        format_of(self._path)
        # Each has a name of its own, so that no later one tidies up after one that was killed.
        remove_leftovers(self._path, f"{glob.escape(self._path.stem)}_*{glob.escape(self._path.suffix)}")
        self._info, self._painter, self._length_s = info, painter, length_s
        self._open = partial(VideoFileSink, encoder=encoder, crf=crf, bitrate=bitrate)
        self._now = now
        self._names: set[Path] = set()
        self._finishing: list[Future[None]] = []
        self._finisher = ThreadPoolExecutor(1, "streamseg-finish")
        self._segment: VideoFileSink | None = self._opened()  # already now, to find out whether it can be written
        self._ends_s: float | None = None
        self._earlier_failed = False
        self.notes: list[str] = []
        self.place: str | None = None  # until a file is complete

    def write(self, segmentation: Segmentation) -> None:
        self._segment_at(segmentation.frame.time_s).write(segmentation)

    def close(self, outcome: Outcome) -> None:
        """What was finished before stays whatever the outcome is."""
        try:
            if self._segment is not None:
                self._segment.close("cut" if outcome == "failed" and self._earlier_failed else outcome)
                self._note(self._segment)
            self._settle(wait=True)
        finally:
            self._finisher.shutdown()

    def _segment_at(self, time_s: float) -> VideoFileSink:
        """The file that a frame of this time goes into; the one before it is then being finished."""
        if self._ends_s is None:
            self._ends_s = time_s + self._length_s
        if self._segment is not None and time_s >= self._ends_s:
            self._settle(wait=False)
            # Here and now: a kill just behind the change would else take the end of the one and the beginning of the
            # other along, which together may be more than a second of film.
            self._segment.end()
            self._finishing.append(self._finisher.submit(self._finish, self._segment))
            self._segment, self._ends_s = None, time_s + self._length_s  # none, should the next one fail to open
        self._segment = self._segment or self._opened()
        return self._segment

    def _finish(self, segment: VideoFileSink) -> None:
        segment.close("cut")
        self._note(segment)

    def _note(self, segment: VideoFileSink) -> None:
        if segment.place is not None:
            self.place = str(self._path.with_stem(f"{self._path.stem}_*"))
        self.notes += [note for note in segment.notes if note not in self.notes]

    def _settle(self, *, wait: bool) -> None:
        """Raises what went wrong with a file that was being finished. wait: until all are."""
        for future in [each for each in self._finishing if wait or each.done()]:
            self._finishing.remove(future)
            try:
                future.result()
            except Exception:
                self._earlier_failed = True  # the one that is being written is good, and will be kept
                raise

    def _opened(self) -> VideoFileSink:
        stem = f"{self._path.stem}_{self._now():%Y%m%d-%H%M%S%z}"
        path = self._free(stem)
        self._names.add(path)
        return self._open(path, self._info, self._painter)

    def _free(self, stem: str) -> Path:
        """A name that no file has or is about to get: the clock may have been set back, or a second has several."""
        for number in itertools.count(1):
            path = self._path.with_stem(stem if number == 1 else f"{stem}_{number}")
            if path not in self._names and not path.exists():
                return path
        raise AssertionError("numbers do not end")

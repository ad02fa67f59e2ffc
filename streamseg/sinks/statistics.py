"""One line of figures a frame, as a table or as JSON lines."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.errors import SinkError
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.formats import TABLES
from streamseg.spec import SegmentClass
from streamseg.timing import Clock

if TYPE_CHECKING:
    from streamseg.pixels import Image

_Shares: TypeAlias = "dict[str, float]"
_WriteLine: TypeAlias = "Callable[[dict[str, Any], _Shares], object]"

FRAME_COLUMNS = ("index", "pts", "time_s", "latency_ms", "flicker")
"""index and pts as in Frame (pts empty or null where the source has no clock); time_s in seconds; latency_ms from the
frame's capture to this line; flicker, 0 to 1, the share of the pixels whose class is not that of the line before (empty
or null in the first)."""


_LONGEST_LINE = 1 << 20  # characters: hundreds of classes take some ten thousand, and a file may be one endless line


class StatisticsSink(Sink):
    """Writes when each frame was shown, how long it took, and how much of it each class covers (0 to 1).

    .csv has the columns FRAME_COLUMNS and then one for each class, under its name. .jsonl has an object a line, with
    the keys FRAME_COLUMNS and "shares", an object of class names.
    """

    stage = "write statistics"

    def __init__(
        self,
        path: str | Path,
        classes: Sequence[SegmentClass],
        *,
        overwrite: bool = False,
        clock: Clock = time.perf_counter,
    ) -> None:
        """
        path: ends in .csv or .jsonl. The folder must exist.
        classes: of the model.
        overwrite: replace a file that is there, once the new one is complete.
        clock: that `Frame.captured_s` is told by.

        Raises:
            SinkError: another suffix, the file is there, the place is not writable, or another run is writing it.
        """
        target = Path(path)
        begin = _FORMATS.get(target.suffix.lower())
        if begin is None:
            raise SinkError(f"cannot write '{target}': statistics must end in {' or '.join(TABLES)}")
        self.place: str | None = str(target)
        self._names = [each.name for each in classes]
        self._pending = AtomicFile(target, overwrite=overwrite, ours=is_table_of_ours)
        self._written = 0
        self._clock = clock
        self._labels: Image | None = None  # of the frame before, for the flicker
        try:
            # newline: the csv module ends lines itself
            self._file = self._pending.temporary.open("w", encoding="utf-8", newline="")
            self._write_line = begin(self._file, self._names)
        except OSError as error:
            self._pending.discard()
            raise cannot_write(target, error) from error

    def write(self, segmentation: Segmentation) -> None:
        if len(segmentation.classes) != len(self._names):
            columns, came = ", ".join(self._names), ", ".join(each.name for each in segmentation.classes)
            raise SinkError(
                f"cannot write '{self._pending.path}': its columns are {columns}, and a result came with "
                f"{came}; open it with the classes of the results"
            )
        frame = segmentation.frame
        latency_ms = round((self._clock() - frame.captured_s) * 1000, 3)
        values = (frame.index, frame.pts, round(frame.time_s, 6), latency_ms, self._flicker(segmentation.labels))
        # All are rounded: digits beyond a microsecond or a millionth of the picture are noise that fills the file.
        facts = dict(zip(FRAME_COLUMNS, values, strict=True))
        shares = dict(zip(self._names, (round(float(share), 6) for share in segmentation.shares), strict=True))
        try:
            self._write_line(facts, shares)
        except OSError as error:
            raise cannot_write(self._pending.path, error, self._written) from error
        self._written += 1

    def _flicker(self, labels: Image) -> float | None:
        before, self._labels = self._labels, labels
        return None if before is None else round(float((before != labels).mean()), 6)

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            self._file.close()
            if outcome != "failed" and self._written:
                self.place = str(self._pending.commit(whole=outcome != "broken"))
        except OSError as error:
            if outcome != "failed":  # what cannot be flushed is thrown away then, and its error is already out
                raise cannot_write(self._pending.path, error, self._written) from error
        finally:
            self._pending.discard()


def is_table_of_ours(path: Path) -> bool:
    """Whether a file has the columns of such a table. They are its tag: a further line would trouble its readers."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline(_LONGEST_LINE)
    except (OSError, UnicodeDecodeError):
        return False
    if path.suffix.lower() == ".csv":
        return first.startswith(",".join(FRAME_COLUMNS))
    try:
        facts = json.loads(first)
    except ValueError:
        return False
    return isinstance(facts, dict) and tuple(facts) == (*FRAME_COLUMNS, "shares")


def _begin_csv(file: IO[str], names: Sequence[str]) -> _WriteLine:
    table = csv.writer(file, lineterminator="\n")
    table.writerow([*FRAME_COLUMNS, *names])
    return lambda facts, shares: table.writerow([*facts.values(), *shares.values()])


def _begin_json_lines(file: IO[str], _names: Sequence[str]) -> _WriteLine:
    return lambda facts, shares: file.write(json.dumps({**facts, "shares": shares}, ensure_ascii=False) + "\n")


_FORMATS: Mapping[str, Callable[[IO[str], Sequence[str]], _WriteLine]] = dict(
    zip(TABLES, (_begin_csv, _begin_json_lines), strict=True)
)

"""One line of figures a frame, as a table or as JSON lines."""

from __future__ import annotations

import csv
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.errors import SinkError
from streamseg.flow import TemporalConsistency, luma_at
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.files import stays_partial
from streamseg.sinks.formats import TABLES
from streamseg.spec import SegmentClass
from streamseg.timing import Clock

if TYPE_CHECKING:
    from streamseg.positions import Position, PositionLog

_Shares: TypeAlias = "dict[str, float]"
_WriteLine: TypeAlias = "Callable[[dict[str, Any], _Shares], object]"

FRAME_COLUMNS = ("index", "pts", "time_s", "latency_ms", "consistency")
"""index and pts as in Frame (pts empty or null where the source has no clock); time_s in seconds; latency_ms from the
frame's capture to this line; consistency, 0 to 1, the share of the pixels that have the class of the line before,
along the picture's motion, see `flow.TemporalConsistency` (empty or null in the first, and where nothing can be
compared)."""


POSITION_COLUMNS = ("lat", "lon", "speed_kmh")
"""Where the camera was: degrees of WGS 84, north and east above 0, and kilometres an hour over ground; empty or null
where it is not known."""

_LONGEST_LINE = 1 << 20  # characters: hundreds of classes take some ten thousand, and a file may be one endless line


class StatisticsSink(Sink):
    """Writes when each frame was shown, how long it took, and how much of it each class covers (0 to 1).

    .csv has the columns FRAME_COLUMNS and then one for each class, under its name. .jsonl has an object a line, with
    the keys FRAME_COLUMNS and "shares", an object of class names. Of a source that may have positions,
    POSITION_COLUMNS come between the two.
    """

    stage = "write statistics"
    side = True

    def __init__(
        self,
        path: str | Path,
        classes: Sequence[SegmentClass],
        *,
        positions: PositionLog | None = None,
        overwrite: bool = False,
        clock: Clock = time.perf_counter,
        continued: Path | None = None,
        frames: int = 0,
    ) -> None:
        """
        path: ends in .csv or .jsonl. The folder must exist.
        classes: of the model.
        positions: of the source, closed together with this; None leaves their columns out.
        overwrite: replace a file that is there, once the new one is complete.
        clock: that `Frame.captured_s` is told by.
        continued: a table that an earlier run left, whose first lines are taken over, and which is removed in the end.
        frames: how many of its lines, one for each frame that is not written again.

        Raises:
            SinkError: another suffix, the file is there, the place is not writable, another run is writing it, or
                `continued` has fewer lines.
        """
        target = Path(path)
        begin = _FORMATS.get(target.suffix.lower())
        if begin is None:
            raise SinkError(f"cannot write '{target}': statistics must end in {' or '.join(TABLES)}")
        self.place: str | None = str(target)
        self._names = [each.name for each in classes]
        self._pending = AtomicFile(target, overwrite=overwrite, ours=is_table_of_ours)
        self._written = 0
        self._continued: Path | None = None
        self._clock = clock
        self._consistency = TemporalConsistency()
        self._positions = positions
        columns = FRAME_COLUMNS if positions is None else (*FRAME_COLUMNS, *POSITION_COLUMNS)
        try:
            # newline: the csv module ends lines itself; buffering: each line is in the file before the next frame
            self._file = self._pending.partial.open("w", encoding="utf-8", newline="", buffering=1)
            self._write_line = begin(self._file, (*columns, *self._names))
            if continued is not None:
                self._take_over(continued, frames)
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
        values = (frame.index, frame.pts, round(frame.time_s, 6), latency_ms, self._measured(segmentation))
        # All are rounded: digits beyond a microsecond or a millionth of the picture are noise that fills the file.
        facts: dict[str, Any] = dict(zip(FRAME_COLUMNS, values, strict=True))
        if self._positions is not None:
            facts |= _place(self._positions.at(frame.time_s))
        shares = dict(zip(self._names, (round(float(share), 6) for share in segmentation.shares), strict=True))
        try:
            self._write_line(facts, shares)
        except OSError as error:
            raise cannot_write(self._pending.path, error, self._written) from error
        self._written += 1

    def _take_over(self, table: Path, frames: int) -> None:
        """Raises OSError, SinkError."""
        with table.open(encoding="utf-8", newline="") as file:
            if self._file.name.endswith(".csv"):
                file.readline()  # the names of the columns
            lines = [line for line in itertools.islice(file, frames) if line.endswith("\n")]
        if len(lines) < frames:
            self._file.close()
            self._pending.discard()
            raise SinkError(
                f"cannot go on from '{table}': it has {len(lines)} lines and the video {frames} frames; "
                "move both away to begin anew"
            )
        self._file.writelines(lines)
        self._written, self._continued = frames, table

    def _measured(self, segmentation: Segmentation) -> float | None:
        share = self._consistency.add(luma_at(segmentation.frame), segmentation.labels)
        return None if share is None else round(share, 6)

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            self._file.close()
            if self._written:
                kept = stays_partial(self._pending.path, outcome)
                self.place = str(self._pending.keep() if kept else self._committed())
        except OSError as error:
            if outcome != "failed":  # what cannot be flushed is lost then, and its error is already out
                raise cannot_write(self._pending.path, error, self._written) from error
        finally:
            if self.place is None and self._written:
                self._keep_if_there()
            self._pending.discard()
            if self._positions is not None:
                self._positions.close()

    def _committed(self) -> Path:
        path = self._pending.commit()
        if self._continued is not None and self._continued != path:
            with suppress(OSError):  # all of it that counts is in the new file
                self._continued.unlink(missing_ok=True)
        return path

    def _keep_if_there(self) -> None:
        with suppress(OSError):
            self.place = str(self._pending.keep())


def _place(position: Position | None) -> dict[str, float | None]:
    if position is None:
        return dict.fromkeys(POSITION_COLUMNS)
    speed_kmh = None if position.speed_kmh is None else round(position.speed_kmh, 2)
    values = (round(position.latitude, 7), round(position.longitude, 7), speed_kmh)  # a centimetre, as receivers say
    return dict(zip(POSITION_COLUMNS, values, strict=True))


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
    return isinstance(facts, dict) and (*facts,)[: len(FRAME_COLUMNS)] == FRAME_COLUMNS and "shares" in facts


def _begin_csv(file: IO[str], columns: Sequence[str]) -> _WriteLine:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(columns)
    return lambda facts, shares: table.writerow([*facts.values(), *shares.values()])


def _begin_json_lines(file: IO[str], _columns: Sequence[str]) -> _WriteLine:
    return lambda facts, shares: file.write(json.dumps({**facts, "shares": shares}, ensure_ascii=False) + "\n")


_FORMATS: Mapping[str, Callable[[IO[str], Sequence[str]], _WriteLine]] = dict(
    zip(TABLES, (_begin_csv, _begin_json_lines), strict=True)
)

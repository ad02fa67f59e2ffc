"""Where the camera was, as a track for maps (.gpx) or a table (.csv)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from streamseg.atomic import AtomicFile, cannot_write
from streamseg.errors import SinkError
from streamseg.file_tag import TAG
from streamseg.positions import Position, PositionLog, on_one_clock
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.files import stays_partial

COLUMNS = ("time_s", "utc", "lat", "lon", "altitude_m", "speed_kmh")
"""time_s on the recording's clock, seconds; utc as ISO 8601; degrees of WGS 84; empty where it is not known."""

_SPEED = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"  # GPX 1.1 itself has no place for it
_KMH = 3.6  # that is a metre a second
_DIGITS = 7  # of degrees: a centimetre
_HEAD = 1024  # bytes: who wrote a GPX file stands in its first tag


class PositionsSink(Sink):
    """Writes the positions of the part of the recording that was processed, when it ends.

    Their time of day is that of the satellites where the recording has it, else its creation time, and goes on as its
    clock does. Where there were none there is no file, and a note.
    """

    stage = "write positions"
    side = True

    def __init__(
        self,
        path: str | Path,
        log: PositionLog,
        *,
        start_s: float = 0.0,
        began: datetime | None = None,
        overwrite: bool = False,
    ) -> None:
        """
        path: ends in .gpx or .csv. The folder must exist.
        log: of the source, closed together with this; it grows while frames are read.
        start_s: from when on positions are wanted, seconds of the recording.
        began: when the recording was, as its file says; None where it does not.
        overwrite: replace a file that is there, once the new one is complete.

        Raises:
            SinkError: another suffix, the file is there, the place is not writable, or another run is writing it.
        """
        target = Path(path)
        self._content = content_for(target)
        self._log, self._began = log, began
        self._file = AtomicFile(target, overwrite=overwrite, ours=is_positions_of_ours)
        self._start_s, self._last_s = start_s, -inf
        self.notes: list[str] = []
        self.place = str(target)

    def write(self, segmentation: Segmentation) -> None:
        self._last_s = max(self._last_s, segmentation.frame.time_s)
        self._log.at(self._last_s)  # takes in what has come, so that it does not pile up

    def close(self, outcome: Outcome) -> None:
        self.place = None
        try:
            if self._last_s == -inf:
                return
            # To the end of the last frame, which is not known, and not one frame further.
            found = on_one_clock(self._log.between(self._start_s, self._last_s + _A_FRAME_S), self._began)
            if not found:
                self.notes.append(
                    f"'{self._file.path}' is not written: there are no positions in this part of the source"
                )
                return
            self._file.partial.write_bytes(self._content(found))
            kept = stays_partial(self._file.path, outcome)
            self.place = str(self._file.keep() if kept else self._file.commit())
        except OSError as error:
            raise cannot_write(self._file.path, error) from error
        finally:
            self._file.discard()
            self._log.close()


def content_for(path: Path) -> Callable[[Sequence[Position]], bytes]:
    """What makes the content of a file of this name. Raises SinkError: its suffix is of no such file."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise SinkError(f"cannot write '{path}': positions are written to a file that ends in {' or '.join(FORMATS)}")
    return found


_A_FRAME_S = 0.01  # shorter than any that a camera with positions makes


def is_positions_of_ours(path: Path) -> bool:
    """Whether a file is such a track or table: by who wrote it, or by its columns."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if path.suffix.lower() == ".csv":
        return head.startswith(",".join(COLUMNS).encode())
    return b'creator="streamseg ' in head


def _gpx(positions: Sequence[Position]) -> bytes:
    import gpxpy.gpx  # here, as few runs need it

    document = gpxpy.gpx.GPX()
    document.creator = TAG
    document.nsmap["gpxtpx"] = _SPEED
    segment = gpxpy.gpx.GPXTrackSegment()
    for each in positions:
        point = gpxpy.gpx.GPXTrackPoint(
            round(each.latitude, _DIGITS), round(each.longitude, _DIGITS), elevation=each.altitude_m, time=each.utc
        )
        if each.speed_kmh is not None:
            point.extensions.append(_speed(each.speed_kmh))
        segment.points.append(point)
    track = gpxpy.gpx.GPXTrack()
    track.segments.append(segment)
    document.tracks.append(track)
    return document.to_xml("1.1").encode()


def _speed(kmh: float) -> Element:
    extension = Element(f"{{{_SPEED}}}TrackPointExtension")
    SubElement(extension, f"{{{_SPEED}}}speed").text = f"{kmh / _KMH:.3f}"
    return extension


def _csv(positions: Sequence[Position]) -> bytes:
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for each in positions:
        utc = None if each.utc is None else each.utc.astimezone(UTC).isoformat(timespec="milliseconds")
        degrees = (round(each.latitude, _DIGITS), round(each.longitude, _DIGITS))
        speed = None if each.speed_kmh is None else round(each.speed_kmh, 2)
        table.writerow((round(each.time_s, 3), utc, *degrees, each.altitude_m, speed))
    return file.getvalue().encode()


FORMATS: Mapping[str, Callable[[Sequence[Position]], bytes]] = {".gpx": _gpx, ".csv": _csv}
"""What writes a file of each suffix."""

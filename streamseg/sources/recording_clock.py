"""One clock for all tracks of a recording, whatever the clock in the file does.

Recorders join files whose clocks start again, cameras set theirs while they record, and the clock of a transport stream
is back at 0 after 26 hours. The pictures tell: where their times make such a step, a new part of the recording begins,
and every track goes over to it with its first packet that fits there. So sound stays in step with its pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_BACK_S = 1.0  # more than pictures are ever stored out of order, and less than any recording before a cut
_AHEAD_S = 10.0  # no gap of a broadcast is longer, as FFmpeg sees it (-dts_delta_threshold)
_REORDERED_S = 10.0  # from decoding to showing at most: 16 pictures, also of the slowest camera
_LONG_AHEAD_S = 3600.0  # from here on a pause looks like a clock that was set
_WRAP_S = Fraction(1 << 33, 90_000)  # transport and program streams count 33 bits at 90 kHz
_NAMED = 3  # places named in a note; a damaged file may have hundreds


@dataclass(slots=True)
class Beside:
    """Where a track beside the pictures is.

    part: of the recording that it has reached. last_s: of its last packet there, on the file's clock; None before it.
    ticks: what is to be added to its times in each part.
    """

    part: int = 0
    last_s: float | None = None
    ticks: dict[int, int] = field(default_factory=dict)


class RecordingClock:
    """Moves times of a file to the clock of the recording, which begins at 0 and only goes on.

    joins: when each part but the first began, seconds of the recording.
    now_s: how far the pictures are, in the order of decoding; None before the first.
    """

    def __init__(self, origin_s: Fraction, time_base: Fraction, frame_s: Fraction, *, broadcast: bool) -> None:
        """
        origin_s: the file's time at which the recording starts.
        time_base: of the pictures, seconds per tick.
        frame_s: how long a picture is shown as a rule.
        broadcast: transport or program streams, whose times have no meaning beyond the next few seconds.
        """
        self._time_base = time_base
        self._frame = max(1, round(frame_s / time_base))
        self._back, self._ahead = (round(each / time_base) for each in (_BACK_S, _AHEAD_S))
        self._reordered, self._long = (round(each / time_base) for each in (_REORDERED_S, _LONG_AHEAD_S))
        self._broadcast = broadcast
        self._parts = [-origin_s]  # what is to be added in each, seconds
        self._shift = -round(origin_s / time_base)  # in the newest part, ticks
        self._last: int | None = None  # of the last packet, on the file's clock
        self._latest: int | None = None  # time of showing so far, on the recording's
        self._pauses: list[float] = []
        self.joins: list[float] = []
        self.now_s: float | None = None

    @property
    def part(self) -> int:
        """How often the clock started anew."""
        return len(self._parts) - 1

    def place(self, packet: Packet[VideoStream]) -> None:
        """Give a packet of the pictures its times on the recording's clock."""
        pts, dts = packet.pts, packet.dts
        time = pts if dts is None else dts
        if time is None:
            return
        if pts is not None and dts is not None and abs(pts - dts) > self._reordered:
            packet.pts = pts = None  # garbled: its frame comes after the one before it
        if not packet.is_discard:  # what an edit list cuts out is not shown, and its times may be any
            if self._last is not None:
                self._look_for_step(time, time if pts is None else pts)
            self._last = time
            shown = (time if pts is None else pts) + self._shift
            self._latest = shown if self._latest is None else max(self._latest, shown)
            self.now_s = float((time + self._shift) * self._time_base)
        if self._shift:
            packet.pts = None if pts is None else pts + self._shift
            packet.dts = None if dts is None else dts + self._shift

    def place_beside(self, track: Beside, time: int, time_base: Fraction) -> int | None:
        """What is to be added to the times of a packet of another track, ticks of its own time base.

        time: of the packet, on the file's clock.

        Returns: None where it fits nowhere yet: the pictures may be about to make the same step.
        """
        time_s = time * time_base.numerator / time_base.denominator
        part = self._fitting(track, time_s)
        if part is None:
            return None
        track.part, track.last_s = part, time_s
        if part not in track.ticks:
            track.ticks[part] = round(self._parts[part] / time_base)
        return track.ticks[part]

    def notes(self) -> list[str]:
        """What a person should know of the steps in the file's clock."""
        notes = []
        if self.joins:
            notes.append(f"the file's clock starts anew at {_listed(self.joins)}; what follows goes on there")
        if self._pauses:
            notes.append(f"the times of the pictures jump ahead by more than an hour at {_listed(self._pauses)}")
        return notes

    def _look_for_step(self, time: int, shown: int) -> None:
        """time, shown: of a packet, on the file's clock."""
        assert self._last is not None
        assert self._latest is not None
        step = time - self._last
        if -self._back < step <= (self._ahead if self._broadcast else self._long):
            return
        if step > 0 and not self._broadcast:
            self._pauses.append(float((self._last + self._shift) * self._time_base))  # kept: files say what they mean
            return
        wrap = round(_WRAP_S / self._time_base)
        if self._broadcast and -self._back < step + wrap <= self._ahead:
            self._shift += wrap
            self._parts.append(self._parts[-1] + _WRAP_S)
            return
        self._shift = self._latest + self._frame - shown
        self._parts.append(self._shift * self._time_base)
        self.joins.append(float((self._latest + self._frame) * self._time_base))

    def _fitting(self, track: Beside, time_s: float) -> int | None:
        """The part in which a packet is nearest to the pictures; None where it is none of them, or a step back."""
        now_s = self.now_s
        if now_s is None:
            return 0
        parts = range(track.part, len(self._parts))
        part = min(parts, key=lambda each: abs(time_s + float(self._parts[each]) - now_s))
        if part == track.part and track.last_s is not None and time_s < track.last_s - _BACK_S:
            return None
        # Files with an index may store sound far from its pictures, broadcasts never do.
        far = self._broadcast and abs(time_s + float(self._parts[part]) - now_s) > _AHEAD_S
        return None if far else part


def _listed(times_s: list[float]) -> str:
    shown = ", ".join(f"{each:.2f} s" for each in times_s[:_NAMED])
    more = len(times_s) - _NAMED
    return f"{shown} and {more} more times" if more > 0 else shown

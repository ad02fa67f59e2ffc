"""Times of live pictures: evenly spaced as the stream says, and never far from real time."""

from __future__ import annotations

_ASTRAY_S = 2.0  # the stream's time and real time may differ so much: jitter and drift of clocks, not jumps
_TICK_S = 0.001  # what two pictures are apart at least: Matroska counts milliseconds


class LiveClock:
    """Turns a stream's own times into seconds from the first picture on, through jumps, gaps and reconnections.

    Between two pictures as much time passes as the stream says. Where that leads away from real time, because the
    stream set its clock anew, was reconnected or has no clock, real time is taken instead.
    """

    def __init__(self) -> None:
        self._started_s: float | None = None
        self._shift_s: float | None = None
        self._last_s = -_TICK_S

    def time_s(self, stream_s: float | None, captured_s: float) -> float:
        """Of the next picture; later than that of the one before.

        stream_s: the stream's own time, from anywhere; None when it has none.
        captured_s: real time, from anywhere.
        """
        if self._started_s is None:
            self._started_s = captured_s
        real_s = captured_s - self._started_s
        time_s = real_s
        if stream_s is not None:
            # Following every difference would write the jitter of the network into the times; only jumps are followed.
            if self._shift_s is None or abs(stream_s + self._shift_s - real_s) > _ASTRAY_S:
                self._shift_s = real_s - stream_s
            time_s = stream_s + self._shift_s
        self._last_s = max(time_s, self._last_s + _TICK_S)
        return self._last_s


class Pacer:
    """Spreads pictures that come in heaps, as in HLS, over the time they are meant to take."""

    def __init__(self) -> None:
        self._shift_s: float | None = None

    def wait_s(self, stream_s: float, now_s: float) -> float:
        """How long to wait with a picture of this time. One that comes late moves all later ones back."""
        early_s = 0.0 if self._shift_s is None else stream_s + self._shift_s - now_s
        if self._shift_s is None or not 0 <= early_s <= _ASTRAY_S:
            self._shift_s = now_s - stream_s
            return 0.0
        return early_s


class Backlog:
    """How far behind the stream its reader has fallen, from the stream's times and those of arrival.

    The earliest arrival ever, measured by the stream's clock, counts as punctual. That mark gives way by a
    thousandth, which is more than clocks differ and less than a decoder that cannot keep up.
    """

    _GIVES_WAY = 0.001

    def __init__(self) -> None:
        self._punctual_s: float | None = None
        self._last_stream_s = 0.0
        self._last_now_s = 0.0

    def behind_s(self, stream_s: float, now_s: float) -> float:
        """Seconds by which a packet of this time is read too late; 0.0 after the stream set its clock anew."""
        offset_s = now_s - stream_s
        if self._punctual_s is None or abs(stream_s - self._last_stream_s) > _ASTRAY_S:
            self._punctual_s = offset_s
        yielded_s = self._punctual_s + self._GIVES_WAY * max(0.0, now_s - self._last_now_s)
        self._punctual_s = min(offset_s, yielded_s)
        self._last_stream_s, self._last_now_s = stream_s, now_s
        return offset_s - self._punctual_s

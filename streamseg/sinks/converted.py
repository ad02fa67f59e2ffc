"""What is recorded at another height or frame rate than its source has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import floor

from streamseg.frame import Frame, StreamInfo
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.scaled import scaled

_FINEST_RATE = 1001  # denominators: 30000/1001 is the oddest rate in use
_FINEST_TIME = 1_000_000  # of a second: no camera is more exact
_BITS_BY_AREA = 0.75  # bits grow with this power of the pixels: by streaming services' rule of thumb
_NTSC = (24, 30, 60, 120)  # these many a second less a thousandth are what 23.976, 29.97, ... mean
_NEAR = 0.005  # frames a second: "23.976" and "29.97" are rounded so far


class Converted(Sink):
    """Another sink, which gets pictures of another height, or so many a second whatever the source's times are.

    A picture of a constant rate is the frame that is shown at its time, to half a frame: those that come too often are
    left out, and those that last longer are repeated, so that the film lasts as long as before and stays in step with
    its sound.

    tracks_kept, tracks_left_out: of the other sink, where it tells them; see `SourceRecord`. Complete after `close`.
    """

    tracks_kept: Sequence[str] = ()
    tracks_left_out: Sequence[str] = ()

    def __init__(
        self,
        open_sink: Callable[[StreamInfo], Sink],
        info: StreamInfo,
        *,
        height: int | None = None,
        fps: float | None = None,
    ) -> None:
        """
        open_sink: the other one, for what a source of such pictures would say of itself.
        info: of the source.
        height: of the pictures, even, before any view puts two side by side; None keeps them as they are.
        fps: pictures a second; None keeps all frames and their times.

        Raises: what `open_sink` raises.
        """
        self._height = height
        self._rate = None if fps is None else exact_rate(fps)
        self._live = info.live
        self._usual = 1 / (info.fps or Fraction(25))  # how long a lone frame lasts where nothing tells
        self._held: Segmentation | None = None
        self._gap = Fraction(0)
        self._begin = Fraction(0)  # of picture 0 of a constant rate, seconds: where a live source was first seen
        self._first = self._next = 0  # pictures of a constant rate: that of the first frame, and what comes next
        self._repeated = self._left_out = 0
        self._sink = open_sink(converted_info(info, height, self._rate))
        self.place, self.stage, self.notes = self._sink.place, self._sink.stage, self._sink.notes

    def write(self, segmentation: Segmentation) -> bool | None:
        if self._height is not None:
            segmentation = scaled(segmentation, self._height / segmentation.frame.size[0])
        if self._rate is None:
            return self._sink.write(segmentation)
        time_s = _time(segmentation.frame)
        answer = None
        if self._held is None:
            self._begin = time_s if self._live else Fraction(0)
            self._first = self._next = self._place(time_s)
        else:
            self._gap = time_s - _time(self._held.frame)
            answer = self._show_held(self._place(time_s))
        self._held = segmentation
        return answer

    def idle(self) -> bool | None:
        return self._sink.idle()

    def close(self, outcome: Outcome) -> None:
        try:
            if self._held is not None and outcome != "failed":
                # As long as the one before; at least once, or a film of one frame would have none.
                end = _time(self._held.frame) + (self._gap if self._gap > 0 else self._usual)
                self._show_held(max(self._place(end), self._first + 1))
        except BaseException:
            self._sink.close("failed")
            raise
        self._sink.close(outcome)
        self.place, self.notes = self._sink.place, [*self._sink.notes, *self._counts()]
        self.tracks_kept = list(getattr(self._sink, "tracks_kept", ()))  # sinks that have no tracks have no lists
        self.tracks_left_out = list(getattr(self._sink, "tracks_left_out", ()))

    def _counts(self) -> list[str]:
        counts = [(self._repeated, "repeated"), (self._left_out, "left out")]
        said = " and ".join(f"{count} {what}" for count, what in counts if count)
        return [f"frames for {float(self._rate):g} a second: {said}"] if self._rate and said else []

    def _place(self, time_s: Fraction) -> int:
        """Of the first picture that shows a frame of this time. Halves are rounded up, so that every second is kept."""
        assert self._rate is not None
        return floor((time_s - self._begin) * self._rate + Fraction(1, 2))

    def _show_held(self, until: int) -> bool | None:
        """Write the frame before as often as it is shown. until: place of the first picture that shows the next one."""
        assert self._held is not None
        places = range(self._next, until)
        self._repeated += max(0, len(places) - 1)
        self._left_out += not places
        answers = [self._sink.write(self._at(self._held, place)) for place in places]
        self._next += len(places)
        return False if False in answers else None

    def _at(self, segmentation: Segmentation, place: int) -> Segmentation:
        frame = segmentation.frame
        assert self._rate is not None
        return replace(
            segmentation,
            frame=Frame(
                place - self._first,
                float(self._begin + place / self._rate),
                frame.bgr() if frame.native == "bgr" else frame.planes(),
                pts=None if self._live else place,
                captured_s=frame.captured_s,
                name=frame.name,
                damaged=frame.damaged,
            ),
        )


def _time(frame: Frame) -> Fraction:
    # Floats of 1/60 s are no exact multiples, and half a picture decides whether a frame is shown.
    return Fraction(frame.time_s).limit_denominator(_FINEST_TIME)


def exact_rate(fps: float) -> Fraction:
    """Frames a second as film and television have them: 29.97 is 30000/1001."""
    for whole in _NTSC:
        exact = Fraction(1000 * whole, 1001)
        if abs(fps - exact) < _NEAR:
            return exact
    return Fraction(fps).limit_denominator(_FINEST_RATE)


def converted_info(info: StreamInfo, height: int | None, rate: Fraction | None) -> StreamInfo:
    """What a source of converted pictures would say of itself."""
    if height is not None:
        # The same rounding as of the pictures themselves, see `scaled`.
        width = max(2, 2 * round(info.width * height / info.height / 2))
        share = height * width / (info.height * info.width)
        bits = None if info.bit_rate is None else round(info.bit_rate * share**_BITS_BY_AREA)
        info = replace(info, height=height, width=width, bit_rate=bits)
    if rate is not None:
        count = None if info.duration_s is None else round(info.duration_s * rate)
        info = replace(info, fps=rate, time_base=None if info.live else 1 / rate, frame_count=count)
    return info

"""Results made into JPEG pictures, on a thread of their own, once for all viewers, and only while somebody watches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from streamseg.controls import Controls, Settings
from streamseg.painting import Painter
from streamseg.pixels import Size
from streamseg.segmentation import Segmentation
from streamseg.sinks.scaled import scale_into, scaled
from streamseg.timing import Timings

_QUALITY = 80  # of JPEG; above it pictures grow fast and look the same in motion
_LARGEST: Size = (1440, 2560)  # of a picture: more than that no network is glad to carry
_LOOK_S = 0.1  # how soon a changed setting is noticed while no frame comes


@dataclass(frozen=True, slots=True)
class Picture:
    """A painted frame.

    jpeg: the whole file.
    captured_s: `Frame.captured_s`; None when the frame was painted before, with other settings: its age says nothing.
    """

    jpeg: bytes
    captured_s: float | None


class PictureMaker:
    """Paints and compresses the newest result whenever it, or a setting, has changed.

    Legend and head-up display are left to the page, which draws them sharp at any size.
    """

    def __init__(
        self, painter: Painter, controls: Controls, timings: Timings, publish: Callable[[Picture], None]
    ) -> None:
        """
        painter: tells which classes to paint; its own settings are not touched.
        timings: where "paint" and "compress" are noted.
        publish: called on the thread of this object with each picture.
        """
        self._painted = [each.name for each in painter.painted]
        self._classes = painter.classes
        self._controls = controls
        self._timings = timings
        self._publish = publish
        self._changed = threading.Condition()
        self._newest: Segmentation | None = None
        self._watched = False
        self._begun = False
        self._closed = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="streamseg-pictures", daemon=True)
        self._thread.start()

    def offer(self, segmentation: Segmentation) -> None:
        """The newest result. Never waits.

        Raises:
            Exception: what broke the thread, as it was raised there.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            self._newest = segmentation
            self._changed.notify()

    def watch(self, watched: bool) -> None:
        """Whether anybody wants pictures from now on. Who begins to watch gets one at once, even when nothing moves."""
        with self._changed:
            self._begun = self._begun or (watched and not self._watched)
            self._watched = watched
            self._changed.notify()

    def close(self) -> None:
        """End the thread; no picture is published after this."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        done: tuple[Segmentation, int] | None = None
        painter: Painter | None = None
        try:
            with self._timings.active():
                while (job := self._next(done)) is not None:
                    segmentation, version = job
                    if painter is None or done is None or version != done[1]:
                        painter = self._painter(self._controls.settings)
                    again = done is not None and done[0] is segmentation
                    done = job
                    captured_s = None if again else segmentation.frame.captured_s
                    self._publish(Picture(self._compressed(painter, segmentation), captured_s))
        except Exception as error:  # handed to the caller's thread, whatever it is
            self._error = error

    def _next(self, done: tuple[Segmentation, int] | None) -> tuple[Segmentation, int] | None:
        """Waits for something else to paint than was painted last; None when closed."""
        with self._changed:
            while not self._closed:
                version = self._controls.version
                something_new = self._begun or (self._newest, version) != done
                if self._watched and self._newest is not None and something_new:
                    self._begun = False
                    return self._newest, version
                self._changed.wait(_LOOK_S if self._watched else None)
        return None

    def _painter(self, settings: Settings) -> Painter:
        return Painter(
            self._classes,
            view=settings.view,
            alpha=settings.alpha,
            selected=self._painted,
            legend=False,
        )

    def _compressed(self, painter: Painter, segmentation: Segmentation) -> bytes:
        with self._timings.measure("compress"):
            shrink = min(1.0, scale_into(painter.size(segmentation.frame.size), _LARGEST))
            picture = painter.bgr(scaled(segmentation, shrink))
            ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not ok:
            raise ValueError(f"a picture of {picture.shape[1]}x{picture.shape[0]} cannot be made a JPEG")
        return data.tobytes()

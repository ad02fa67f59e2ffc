"""The live overlay in a browser, as a sink."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from streamseg.controls import VIEWS, Controls
from streamseg.errors import SinkError
from streamseg.frame import StreamInfo
from streamseg.live import LiveState
from streamseg.painting import Painter
from streamseg.segmentation import Segmentation
from streamseg.sinks.base import Outcome, Sink
from streamseg.sinks.web.connections import Limits
from streamseg.sinks.web.guard import Guard
from streamseg.sinks.web.messages import message
from streamseg.sinks.web.newest import Newest
from streamseg.sinks.web.pages import Pages
from streamseg.sinks.web.pictures import Picture, PictureMaker
from streamseg.sinks.web.server import Server
from streamseg.sinks.web.status import Status, no_metrics
from streamseg.sinks.web.viewer import PageContext
from streamseg.sources.browser import BrowserSource
from streamseg.sources.url import masked
from streamseg.timing import Timings
from streamseg.web_address import Address

MAX_VIEWERS = 8  # each is sent every picture, so that every one more costs the same bandwidth again


class WebSink(Sink):
    """Serves a page with the overlay, its figures and controls, from construction to `close`.

    Three threads work beside the one that writes: one paints and compresses, one serves, and the pages' own browsers
    show. Writing hands over the newest result and never waits for any of them; who is slow misses pictures.

    link: what to open in a browser. It holds the token where one is needed, so print it once and keep it nowhere.
    port: where it is really served.
    """

    stage = "serve"

    def __init__(
        self,
        painter: Painter,
        controls: Controls,
        *,
        info: StreamInfo,
        timings: Timings,
        model: str,
        device: str,
        address: Address | None = None,
        live: LiveState | None = None,
        camera: BrowserSource | None = None,
        allowed_hosts: Collection[str] = (),
        max_viewers: int = MAX_VIEWERS,
        extra_metrics: Callable[[], Mapping[str, float]] = no_metrics,
        first_viewer: threading.Event | None = None,
        limits: Limits | None = None,
    ) -> None:
        """
        painter: tells the classes and which of them are painted; view and strength are those of `controls`.
        controls: what the page shows and changes.
        info: of the source; its address is shown on the page.
        timings: shown, and added to: painting, compressing, the age of what pages show.
        model, device: names to show.
        address: where to serve; None is `Address()`, which only this machine can reach.
        live: `Source.live_state`.
        camera: the source, where it is a visitor's camera; None where it is another one.
        allowed_hosts: names that this machine is also reached by, as behind a proxy. With any, the link holds a token.
        max_viewers: how many may look on at the same time.
        extra_metrics: further numbers by name for the statistics, asked for each time.
        first_viewer: is set when somebody looks on; None where nobody waits for that.
        limits: of connections; None is `Limits()`.

        Raises:
            SinkError: the address cannot be served at.
        """
        wanted = address or Address()
        self._controls = controls
        self._status = Status(
            info, controls, timings, model=model, device=device, live=live, extra_metrics=extra_metrics
        )
        self._pictures: Newest[Picture] = Newest()
        self._guard = Guard(wanted, allowed_hosts)
        self._watchers: set[object] = set()
        self._first_viewer = first_viewer
        self._server = Server(limits)
        self._maker = PictureMaker(painter, controls, timings, self._publish)
        hello = message(
            "hello",
            classes=[{"name": each.name, "color": each.color_rgb} for each in painter.painted],
            views=VIEWS,
            source=masked(info.address),
            model=model,
            device=device,
            camera=camera and {"width": info.width, "height": info.height, "fps": float(info.fps or 30)},
        )
        context = PageContext(
            self._pictures, Newest(), controls, self._status, timings, camera, self._watch, self._server.call
        )
        pages = Pages(context, self._guard, hello, max_viewers)
        try:
            self._server.start(wanted, pages.application)
        except SinkError:
            self._maker.close()  # its thread has started by now, and nobody else will end it
            raise

    @property
    def link(self) -> str:
        token = self._guard.token
        return self._server.address.url + (f"?token={token}" if token else "")

    @property
    def port(self) -> int:
        """See the class."""
        port = self._server.address.port
        assert port is not None  # the server knows since it has started
        return port

    @property
    def viewers(self) -> int:
        """How many look on at the moment."""
        return self._status.viewers

    def write(self, segmentation: Segmentation) -> bool:
        """Hand the result over to whoever looks on; while paused, only count it. False once the end was asked for."""
        self._status.note(segmentation)
        if not self._controls.settings.paused:
            try:
                self._maker.offer(segmentation)
            except Exception as error:
                raise SinkError(f"cannot make pictures for the page: {error}") from error
        return not self._controls.quit_requested

    def close(self, outcome: Outcome) -> None:  # noqa: ARG002  # a page is gone however the run ended
        """Tell the pages, and end all threads and connections."""
        self._maker.close()
        self._server.stop()
        self.notes = self._server.notes

    def _publish(self, picture: Picture) -> None:
        self._server.call(self._pictures.put, picture)

    def _watch(self, watcher: object, begins: bool) -> int:
        """See `PageContext.watch`. Called on the event loop."""
        # Films of pictures and other programs count too: somebody wants to see it.
        if begins and self._first_viewer is not None:
            self._first_viewer.set()
        watched_before = bool(self._watchers)
        (self._watchers.add if begins else self._watchers.discard)(watcher)
        self._maker.watch(bool(self._watchers))
        return self._pictures.number - watched_before

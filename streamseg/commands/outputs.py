"""What `streamseg run` writes and shows: which sinks a set of options asks for."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from streamseg.backends import Backend
from streamseg.commands.options import RunOptions
from streamseg.controls import Controls
from streamseg.errors import SinkError, UsageError
from streamseg.frame import StreamInfo
from streamseg.hud import Hud
from streamseg.painting import Painter
from streamseg.progress import ProgressBar
from streamseg.sinks import MaskFolderSink, SegmentedVideoSink, Sink, StatisticsSink, open_sink
from streamseg.sinks.formats import FORMATS
from streamseg.sinks.window import WindowSink, display_available
from streamseg.sources import Source
from streamseg.sources.browser import BrowserSource
from streamseg.sources.url import is_url, without_password
from streamseg.timing import Timings

_WINDOW, _NOTHING = "window:", "null:"


@dataclass(frozen=True)
class Run:
    """What the sinks of one run share.

    camera: the source itself where it is a visitor's camera; None where it is another one.
    figures: further numbers for statistics, by name, asked for each time.
    """

    options: RunOptions
    source: Source
    backend: Backend
    controls: Controls
    timings: Timings
    camera: BrowserSource | None
    figures: Callable[[], Mapping[str, float]]

    @property
    def info(self) -> StreamInfo:
        """Of the source."""
        return self.source.info

    def painter(self, *, follows_controls: bool) -> Painter:
        """One that paints as asked for on the command line, or as the controls say from frame to frame."""
        options = self.options
        chosen = [name for name in options.classes.split(",") if name.strip()] if options.classes is not None else None
        return Painter(
            self.backend.spec.classes,
            view=options.view,
            alpha=options.alpha,
            selected=chosen,
            legend=options.legend,
            hud=Hud(self.timings, self.backend.device) if follows_controls or options.hud else None,
            controls=self.controls if follows_controls else None,
            timings=self.timings,
        )


def opened_sinks(run: Run, stack: ExitStack) -> list[Sink]:
    """All outputs, opened: what is live first. Those already opened are taken back when a later one cannot be.

    Raises:
        SinkError: one cannot be written or shown.
        UsageError: options that contradict each other.
    """
    options = run.options
    recording = _recording(options, run.info)
    _refuse_clashes(options, recording)
    sinks: list[Sink] = []

    def add(sink: Sink) -> None:
        stack.callback(sink.close, "failed")
        sinks.append(sink)

    views = list(_views(run))
    if options.allow_host and _page not in views:
        raise UsageError("--allow-host is for the page in a browser; add --serve")
    for open_view in views:
        add(open_view(run))
    if recording is not None:
        add(_opened_recording(run, recording))
    if options.masks is not None:
        add(MaskFolderSink(options.masks, overwrite=options.overwrite))
    if options.stats is not None:
        add(StatisticsSink(options.stats, run.backend.spec.classes, overwrite=options.overwrite))
    if not options.quiet:
        add(ProgressBar(run.info, run.info.frame_count))
    return sinks


def _views(run: Run) -> Iterator[Callable[[Run], Sink]]:
    """What shows the run while it goes on: a page if asked for; of a live source, a window or else a page."""
    wanted = run.info.live and run.options.output != _NOTHING
    page = run.options.serve is not None or run.camera is not None
    window = run.options.output == _WINDOW or (wanted and not page and display_available())
    if window:
        yield _window
    if page or (wanted and not window):
        yield _page


def _window(run: Run) -> Sink:
    painter = run.painter(follows_controls=True)
    return WindowSink(painter, live_state=run.source.live_state, timings=run.timings)


def _page(run: Run) -> Sink:
    from streamseg.sinks.web import USUAL_PORT, Address, WebSink

    address = run.options.serve or Address()
    sink = WebSink(
        run.painter(follows_controls=True),
        run.controls,
        info=run.info,
        timings=run.timings,
        model=run.backend.spec.name,
        device=run.backend.device,
        address=address,
        live=run.source.live_state,
        camera=run.camera,
        allowed_hosts=run.options.allow_host,
        figures=run.figures,
    )
    if address.port is None and sink.port != USUAL_PORT:
        click.echo(f"note: port {USUAL_PORT} is taken, so the page is at another", err=True)
    click.echo(f"to watch, open {sink.link}", err=True)
    return sink


def _recording(options: RunOptions, info: StreamInfo) -> str | None:
    """Where pictures are written; None for nowhere. A live source is recorded when asked, anything else always is."""
    if options.output in (_WINDOW, _NOTHING):
        recording = None
    else:
        recording = options.output if info.live else options.output or _default_output(options, info)
    if recording is not None and is_url(recording):
        raise UsageError(
            f"OUTPUT is a file or a folder and '{without_password(recording)}' is an address; to watch from elsewhere, "
            "use --serve"
        )
    if options.segment is not None and recording is None:
        raise UsageError("--segment cuts a recording into segments; name an OUTPUT video to record to")
    if options.encoder != "auto" and (recording is None or Path(recording).suffix.lower() not in FORMATS):
        raise UsageError("--encoder compresses videos; name an OUTPUT that ends in .mp4, .mov or .mkv")
    return recording


def _opened_recording(run: Run, path: str) -> Sink:
    painter, options = run.painter(follows_controls=False), run.options
    overwrite, encoder = options.overwrite, options.encoder
    if options.segment is not None:
        length_s = 60 * options.segment
        return SegmentedVideoSink(path, run.info, painter, length_s=length_s, overwrite=overwrite, encoder=encoder)
    return open_sink(path, run.info, painter, overwrite=overwrite, encoder=encoder)


def _default_output(options: RunOptions, info: StreamInfo) -> str:
    """Where the overlay of a recording goes when the user did not say."""
    if info.kind == "synthetic":
        return f"synthetic_{options.view}.mp4"
    path = Path(options.source)
    if info.kind == "pictures":
        folder = path if path.is_dir() else path.parent
        return str(folder.resolve().with_name(f"{folder.resolve().name}_{options.view}")) + "/"
    if "://" in options.source:
        return f"{Path(options.source.rpartition('/')[2]).stem}_{options.view}.mp4"
    return str(path.with_name(f"{path.stem}_{options.view}.mp4"))


def _refuse_clashes(options: RunOptions, recording: str | None) -> None:
    """Raises SinkError when an output would be written over the source, or two outputs over each other."""
    targets = [Path(each) for each in (recording, options.masks, options.stats) if each is not None]
    resolved = [each.resolve() for each in targets]
    for target in targets:
        for place in _source_places(options.source):
            if target.exists() and place.exists() and target.samefile(place):
                raise SinkError(f"'{target}' is the source itself; write somewhere else")
    if len(set(resolved)) < len(resolved):
        raise SinkError(f"two outputs would go to '{targets[-1]}'; give each its own place")


def _source_places(address: str) -> Iterator[Path]:
    """Files and folders that the source is read from."""
    if Path(address).exists():
        yield Path(address)
    elif glob.has_magic(address) and "://" not in address:
        yield from {Path(name).parent for name in glob.iglob(address, recursive=True)}  # noqa: PTH207 - absolute ones too

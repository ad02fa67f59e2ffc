"""What `streamseg run` writes and shows: which sinks a set of options asks for."""

from __future__ import annotations

import glob
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from streamseg.atomic import cannot_write, parts_of
from streamseg.backends import Backend
from streamseg.class_colors import recolored
from streamseg.commands.arguments import is_view
from streamseg.commands.places import place_for
from streamseg.commands.saying import say
from streamseg.controls import Controls
from streamseg.errors import SinkError, UsageError
from streamseg.file_tag import made_from
from streamseg.frame import StreamInfo
from streamseg.hud import Hud
from streamseg.options import OutputOptions
from streamseg.painting import Painter
from streamseg.positions import PositionLog
from streamseg.progress import ProgressBar
from streamseg.segmentation import classes_named
from streamseg.sinks import MaskFolderSink, SegmentedVideoSink, Sink, StatisticsSink, open_sink
from streamseg.sinks.converted import Converted
from streamseg.sinks.formats import FORMATS
from streamseg.sinks.label_video import LabelVideoSink
from streamseg.sinks.own_thread import OnItsOwnThread
from streamseg.sinks.part import Origin, Part
from streamseg.sinks.video_stream import PIPE
from streamseg.sinks.window import WindowSink, display_available
from streamseg.sources import Source
from streamseg.sources.browser import BrowserSource
from streamseg.sources.url import is_url, without_password
from streamseg.sources.wrapper import unwrapped
from streamseg.spec import SegmentClass
from streamseg.timing import Timings
from streamseg.tracks import WithoutSound
from streamseg.web_address import USUAL_PORT, Address

_WINDOW, _NOTHING = "window:", "null:"


@dataclass(frozen=True)
class SharedBySinks:
    """What the sinks of one run are made from, beside the options.

    address: of the source, as the user named it.
    extra_metrics: further numbers for the page's statistics, by name, asked for each time.
    written: what earlier sources of the same command were written to, with their addresses; None where there is one.
    origin: see `VideoFileSink`.
    first_viewer: is set when somebody looks at the page; None where nobody waits for that.
    """

    address: str
    source: Source
    backend: Backend
    controls: Controls
    timings: Timings
    extra_metrics: Callable[[], Mapping[str, float]]
    written: dict[Path, str] | None = None
    origin: Origin | None = None
    first_viewer: threading.Event | None = None

    @property
    def part(self) -> Part | None:
        """The part of the video that is there already; None for nothing."""
        return self.origin.part if self.origin else None

    @property
    def info(self) -> StreamInfo:
        """Of the source."""
        return self.source.info

    @property
    def camera(self) -> BrowserSource | None:
        """The source itself where it is a visitor's camera, which the page must know; None where it is another one."""
        inner = unwrapped(self.source)
        return inner if isinstance(inner, BrowserSource) else None

    def painter(self, options: OutputOptions, *, follows_controls: bool) -> Painter:
        """One that paints as asked for in the options, or as the controls say from frame to frame."""
        return Painter(
            recolored(self.backend.spec.classes, options.palette, options.color),
            view=options.view,
            alpha=options.alpha,
            selected=options.classes,
            legend=options.legend,
            legend_corner=options.legend_corner,
            # What follows the controls has one ready, since a key may ask for it at any time.
            hud=Hud(self.backend.device) if follows_controls or options.hud else None,
            controls=self.controls if follows_controls else None,
        )


_OpenView: TypeAlias = Callable[[OutputOptions, SharedBySinks], Sink]


def opened_sinks(options: OutputOptions, shared: SharedBySinks, recording: str | None, stack: ExitStack) -> list[Sink]:
    """All outputs, opened: what is live first. Those already opened are taken back when a later one cannot be.

    recording: where pictures are written, see `recording_of`.

    Raises:
        SinkError: one cannot be written or shown.
        UsageError: options that contradict each other, or the kind of source.
    """
    _refuse_clashes(options, shared, recording)
    _refuse_unknown_classes(options, shared.backend.spec.classes)
    sinks: list[Sink] = []

    def add(sink: Sink) -> None:
        stack.callback(sink.close, "failed")  # until the pipeline takes over: nothing was written yet
        sinks.append(sink)

    def add_to_disk(sink: Sink) -> None:
        add(OnItsOwnThread(sink, shared.info.size) if shared.info.live and views else sink)

    # What is live comes first: it is what a person looks at, and waits for nothing that is written to a disk.
    views = list(_views(options, shared))
    if options.allow_host and _page not in views:
        raise UsageError("`allow_host` is for the page in a browser; add `serve`")
    for open_view in views:
        add(open_view(options, shared))
    if recording is not None:
        add_to_disk(_opened_recording(options, shared, recording))
    if options.masks is not None:
        # The run that broke off may have been ahead with its masks, also where not one frame of its video is left.
        add_to_disk(MaskFolderSink(options.masks, overwrite=options.overwrite or options.resume))
    if options.labels is not None:
        add_to_disk(
            LabelVideoSink(options.labels, shared.info, shared.backend.spec.classes, overwrite=options.overwrite)
        )
    if options.stats is not None:
        add_to_disk(_opened_statistics(options.stats, options, shared))
    if (track := _opened_positions(options, shared)) is not None:
        add_to_disk(track)
    if not options.quiet:
        add(ProgressBar(shared.info, shared.info.frame_count))
    return sinks


def _refuse_unknown_classes(options: OutputOptions, classes: Sequence[SegmentClass]) -> None:
    """Raises UsageError also where nothing is painted, as of "null:": the next run would fail with what passed here."""
    if options.classes is not None:
        classes_named(classes, options.classes)
    recolored(classes, options.palette, options.color)


def _views(options: OutputOptions, shared: SharedBySinks) -> Iterator[_OpenView]:
    """What shows the run while it goes on: a page if asked for; of a live source, a window or else a page."""
    wanted = shared.info.live and options.output != _NOTHING
    page = options.serve is not None or shared.camera is not None
    window = options.output == _WINDOW or (wanted and not page and display_available())
    if window:
        yield _window
    if page or (wanted and not window):
        yield _page


def _window(options: OutputOptions, shared: SharedBySinks) -> Sink:
    return WindowSink(shared.painter(options, follows_controls=True), live_state=shared.source.live_state)


def _page(options: OutputOptions, shared: SharedBySinks) -> Sink:
    from streamseg.sinks.web import WebSink  # here, as it loads aiohttp, which most runs do without

    address = options.serve or Address()
    sink = WebSink(
        shared.painter(options, follows_controls=True),
        shared.controls,
        info=shared.info,
        timings=shared.timings,
        model=shared.backend.spec.name,
        device=shared.backend.device,
        address=address,
        live=shared.source.live_state,
        camera=shared.camera,
        allowed_hosts=options.allow_host,
        extra_metrics=shared.extra_metrics,
        first_viewer=shared.first_viewer,
    )
    if address.port is None and sink.port != USUAL_PORT:
        say(f"note: port {USUAL_PORT} is taken, so the page is at another", err=True)
    say(f"to watch, open {sink.link}", err=True, secret=True)
    return sink


def recording_of(options: OutputOptions, address: str, info: StreamInfo, *, several: bool) -> str | None:
    """Where pictures are written; None for nowhere. A live source is recorded when asked, anything else always is.

    address, info: of the source.
    several: see `place_for`.

    Raises:
        SinkError, UsageError: see `place_for`; or the options cannot be meant for that place.
    """
    output = options.output
    if output is not None and is_url(output):
        raise UsageError(
            f"OUTPUT is a file or a folder and '{without_password(output)}' is an address; to watch from elsewhere, "
            "use `serve`"
        )
    if output is not None and output.startswith(PIPE):
        recording: str | None = output
    elif is_view(output) or (output is None and (info.live or options.loop) and not options.frames):
        recording = None
    else:
        recording = place_for(options, address, info, several=several)
    if options.segment_s is not None and (recording is None or recording.startswith(PIPE)):
        raise UsageError("`segment_s` cuts a recording into segments; name an OUTPUT video to record to")
    _refuse_idle(options, recording)
    return recording


def _refuse_idle(options: OutputOptions, recording: str | None) -> None:
    """Raises UsageError for options that say how a video is written where none is."""
    suffix = "" if recording is None else ".mkv" if recording.startswith(PIPE) else Path(recording).suffix.lower()
    videos = ", ".join(FORMATS)
    if options.encoder != "auto" and suffix not in FORMATS:
        raise UsageError("`encoder` compresses videos; name an OUTPUT that ends in .mp4, .mov or .mkv")
    for name in ("crf", "bitrate"):
        if getattr(options, name) is not None and suffix not in FORMATS:
            raise UsageError(f"`{name}` says how large a video becomes; name an OUTPUT that ends in {videos}")
    if options.output_fps is not None and suffix not in (*FORMATS, ".gif"):
        raise UsageError(f"`output_fps` is for videos; name an OUTPUT that ends in {videos} or .gif")
    if options.labels is not None and options.resume:
        raise UsageError("`labels` writes one video from the first frame on; leave `resume` out")
    if options.height is not None and recording is None:
        raise UsageError("`height` is of what is written; name an OUTPUT")


def _opened_recording(options: OutputOptions, shared: SharedBySinks, path: str) -> Sink:
    painter = shared.painter(options, follows_controls=False)
    part = shared.part
    # The new file holds all of what an earlier run of the same left under the final name already.
    overwrite = options.overwrite or (part is not None and made_from(Path(path)) == part.made_from)

    def opened(info: StreamInfo) -> Sink:
        if info.tracks is not None and not options.sound:
            info = replace(info, tracks=WithoutSound(info.tracks))
        how: Any = {name: getattr(options, name) for name in ("encoder", "crf", "bitrate")}
        if options.segment_s is not None:
            return SegmentedVideoSink(path, info, painter, length_s=options.segment_s, **how)
        return open_sink(path, info, painter, overwrite=overwrite, origin=shared.origin, **how)

    if options.height is None and options.output_fps is None:
        return opened(shared.info)  # frames go to the encoder's planes without a copy, as nothing is to be changed
    return Converted(opened, shared.info, height=options.height, fps=options.output_fps)


def _opened_statistics(path: Path, options: OutputOptions, shared: SharedBySinks) -> Sink:
    classes, part = shared.backend.spec.classes, shared.part
    if part is None:
        return StatisticsSink(path, classes, positions=_positions(shared), overwrite=options.overwrite)
    tables = [*parts_of(path), *([path] if path.is_file() else [])]
    if not tables:
        raise SinkError(f"cannot go on with '{path}': the earlier run left no such table; leave `stats` out")
    ended = tables[-1] == path
    return StatisticsSink(
        path,
        classes,
        positions=_positions(shared),
        overwrite=options.overwrite or ended,
        continued=tables[-1],
        frames=part.frames,
    )


def _positions(shared: SharedBySinks) -> PositionLog | None:
    """For one sink; None where nothing in the source could say where the camera was."""
    from streamseg.sinks.positions_source import positions_of  # here, as it loads PyAV

    return positions_of(shared.source)


def _opened_positions(options: OutputOptions, shared: SharedBySinks) -> Sink | None:
    """What writes where the camera was; None where that is not asked for, or nothing in the source could say so."""
    if options.gps is None:
        return None
    from streamseg.sinks.positions_file import PositionsSink, content_for

    content_for(options.gps)  # a wrong name is wrong for every source
    positions = _positions(shared)
    if positions is None:
        # Said before the run begins, which goes on: the overlay is what was asked for first.
        say(f"note: the source has no positions, so '{options.gps}' is not written", err=True)
        return None
    carried = shared.info.carried
    began = None if carried is None else carried.creation_time
    return PositionsSink(options.gps, positions, start_s=shared.info.start_s, began=began, overwrite=options.overwrite)


def _refuse_clashes(options: OutputOptions, shared: SharedBySinks, recording: str | None) -> None:
    """Raises SinkError when an output would be written over the source, or two outputs over each other."""
    # By what the files are and not by their names: links and different ways to write one path are all the same place.
    named = (recording, options.masks, options.labels, options.stats, options.gps)
    targets = [Path(each) for each in named if each is not None]
    for target in targets:
        _refuse_unaskable(target)
    resolved = [each.resolve() for each in targets]
    for target in targets:
        for place in _source_places(shared.address):
            if target.exists() and place.exists() and target.samefile(place):
                raise SinkError(f"'{target}' is the source itself; write somewhere else")
    if len(set(resolved)) < len(resolved):
        raise SinkError(f"two outputs would go to '{targets[-1]}'; give each its own place")
    if shared.written is not None:
        for target, place in zip(targets, resolved, strict=True):
            earlier = shared.written.setdefault(place, shared.address)
            if earlier != shared.address:
                raise SinkError(
                    f"'{target}' is where the results of '{without_password(earlier)}' are, which has the same name; "
                    "run this one on its own, to another OUTPUT"
                )


def _refuse_unaskable(path: Path) -> None:
    """Raises SinkError for a name that the system does not even look for, such as one that is too long."""
    try:
        path.exists()
    except OSError as error:
        raise cannot_write(path, error) from error


def _source_places(address: str) -> Iterator[Path]:
    """Files and folders that the source is read from."""
    if Path(address).exists():
        yield Path(address)
    elif glob.has_magic(address) and "://" not in address:
        yield from {Path(name).parent for name in glob.iglob(address, recursive=True)}  # noqa: PTH207 - absolute ones too

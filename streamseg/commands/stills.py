"""`streamseg stills`: overlays of single moments of a recording, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamseg.atomic import cannot_write
from streamseg.backends import DEFAULT_MODEL, load_backend
from streamseg.class_colors import recolored
from streamseg.commands.saying import say
from streamseg.controls import View
from streamseg.errors import SourceError, UsageError
from streamseg.options import ModelOptions
from streamseg.painting import Painter
from streamseg.segmenter import Segmenter
from streamseg.sinks import open_sink
from streamseg.sources import is_live_address, open_source
from streamseg.sources.url import is_url, stem_in, without_password


@dataclass(frozen=True)
class Look:
    """How a still is painted, named as on the command line; see `OutputOptions`."""

    view: View = "overlay"
    alpha: float = 0.5
    classes: tuple[str, ...] | None = None
    palette: str | None = None
    color: tuple[str, ...] = ()
    legend: bool = True
    overwrite: bool = False


def stills_command(address: str, times_s: Sequence[float], folder: Path | None, model: ModelOptions, look: Look) -> int:
    """Write NAME_MINUTESmSECONDSs.png for each time. Returns: the exit code.

    folder: made where it is missing; None is beside the recording.

    Raises:
        StreamsegError: as sources, models and sinks raise it; a time beyond the end is a SourceError.
        UsageError: the source is live.
    """
    if is_live_address(address):
        raise UsageError(
            f"'{without_password(address)}' is live and has no times; the key s of a window saves a picture"
        )
    open_source(address, start_s=min(times_s), max_frames=1).close()  # refused before a network is loaded for it
    backend = load_backend(
        model.model or DEFAULT_MODEL, model.device, model.threads, precision=model.precision, size=model.size
    )
    painter = Painter(
        recolored(backend.spec.classes, look.palette, look.color),
        view=look.view, alpha=look.alpha, selected=look.classes, legend=look.legend,
    )  # fmt: skip
    segment = Segmenter(backend, model.clahe)
    place = folder or (Path() if is_url(address) or ":" in address else Path(address).parent)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(place, error) from error
    stem = stem_in(address) if is_url(address) else Path(address.partition(":")[0] or address).stem
    for time_s in times_s:
        say(f"-> {_still(address, time_s, place / f'{stem}_{_in_words(time_s)}.png', segment, painter, look)}")
    return 0


def _still(address: str, time_s: float, path: Path, segment: Segmenter, painter: Painter, look: Look) -> Path:
    # Opened anew for each: what is between two moments is passed over by seeking, and not decoded.
    with open_source(address, start_s=time_s, max_frames=1) as source:
        sink = open_sink(str(path), source.info, painter, overwrite=look.overwrite)
        try:
            frame = source.read()
            if frame is None:
                raise SourceError(
                    f"'{without_password(address)}' ends before {_in_words(time_s)}; give an earlier time"
                )
            sink.write(segment(frame))
        except BaseException:
            sink.close("failed")
            raise
        sink.close("complete")
    return path


def _in_words(time_s: float) -> str:
    """0m12s, or 0m12.5s: what every system takes in a name, unlike a colon."""
    minutes, seconds = divmod(round(time_s, 3), 60)
    return f"{minutes:.0f}m{f'{seconds:06.3f}'.rstrip('0').rstrip('.')}s"

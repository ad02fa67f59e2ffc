"""The options of `streamseg run`, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streamseg.controls import View
from streamseg.options import DecoderName, Reader
from streamseg.pixels import Size
from streamseg.segmenter import ClaheMode

if TYPE_CHECKING:
    from streamseg.sinks.hardware import EncoderName
    from streamseg.web_address import Address


@dataclass(frozen=True)
class RunOptions:
    """Named as on the command line. Times in seconds, but for `segment` in minutes; None means not given."""

    source: str
    output: str | None = None
    masks: Path | None = None
    stats: Path | None = None
    segment: float | None = None
    overwrite: bool = False
    serve: Address | None = None
    allow_host: tuple[str, ...] = ()
    view: View = "overlay"
    alpha: float = 0.5
    classes: str | None = None
    legend: bool = True
    hud: bool = False
    start: float = 0.0
    duration: float | None = None
    max_frames: int | None = None
    camera_size: Size | None = None
    camera_fps: float | None = None
    reconnect: bool = True
    open_timeout: float | None = None
    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    clahe: ClaheMode = "auto"
    threads: int | None = None
    target_fps: float | None = None
    every: int | None = None
    smooth: int | None = None
    reader: Reader = "pyav"
    decoder: DecoderName = "cpu"
    encoder: EncoderName = "auto"
    quiet: bool = False
    verbose: bool = False

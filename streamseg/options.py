"""What a run is asked for, in three parts: each goes to its own room and nowhere else.

SourceOptions   to `open_source`: how frames are read
ModelOptions    to whatever loads the network: which one, where and how often it runs
OutputOptions   to whatever opens the sinks: what is written, shown and said

The command line makes the three once. They are checked here, on construction, so that no room checks them again; what
a room refuses besides is what only it can know, such as a camera that cannot begin at 0:30.

Messages name a parameter in backticks, as in "`start_s` must be 0 or more seconds, got -1" or "pass `overwrite=True`";
the command line puts its own option in that place (`commands/flags.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from streamseg.class_colors import check_colors
from streamseg.controls import VIEWS, View
from streamseg.errors import UsageError
from streamseg.web_address import Address

if TYPE_CHECKING:  # pixels are arrays, and whoever asks for help needs no NumPy
    from streamseg.pixels import Size

Reader: TypeAlias = Literal["pyav", "opencv"]
DecoderName: TypeAlias = Literal["cpu", "auto", "cuda", "vaapi", "videotoolbox"]
EncoderName: TypeAlias = Literal["auto", "x264", "nvenc", "videotoolbox", "vaapi"]
ClaheMode: TypeAlias = Literal["on", "off", "auto"]
Every: TypeAlias = int | Literal["auto"]

EFFECTS = ("blur", "pixelate", "gray", "cut")
"""What can be done to the picture where it shows some classes; "cut" is done to all the rest."""

MOST_MARGIN = 500  # pixels: at 1080p half of the picture; OpenCV takes as long as the area of what it widens by

MOST_STEADY = 30
"""Frames on a side: a second of film; what moved further than that is out of the picture, and frames wait in memory."""

USUAL_STEADY = 2
"""Frames on a side of a recording's frame that vote on its labels where nobody says how many: more cost more, and take
cars and poles that are narrow for ghosts."""

USUAL_BETWEEN = 5
"""The same where the network runs on a part of the frames, so that three or four others have labels to vote with."""

MOST_COUNT = 2**31 - 1
"""Of anything: FFmpeg, OpenCV and the engines keep counts in C's int."""

MOST_NUMBER = 1e9
"""Seconds or frames a second: 31 years, and a thousandth of what a clock of microseconds in 64 bits can count."""

MOST_SIDE = 65535
"""Pixels: JPEG stores the sides of a picture in 16 bits, and no codec here goes beyond."""

MOST_THREADS = 1024
"""More than a machine has cores; engines start all that they are asked for, and die where the system gives no more."""

_LEAST_ABOVE_0 = 1e-6  # a microsecond, the clock that FFmpeg counts in; below, a rate's frame would outlast it
MOST_CRF = 63  # of VP9; x264 ends at 51
MOST_HEIGHT = 8192  # pixels: 8K video has 4320, and H.264 has no level for more than this
MOST_FPS = 1000  # of slow motion; beyond, a typing error would fill the disk with repeated frames


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a source is opened and read, beside its address.

    reader: what reads video files.
    decoder: what decodes them: "cpu", or hardware by its name, with which the reader "pyav" alone can do; "auto" takes
        hardware if it works on the file.
    start_s: seconds into a video file or the synthetic scene to begin at.
    duration_s: seconds after which to stop; None means to the end.
    max_frames: frames after which to stop; None means to the end.
    threads: for decoding video files; None lets the decoder choose.
    fps: frames a second of a raw stream (.h264, .h265, .mjpeg), which stores no times; None is what the stream says.
    track: which video track of a file, by its number among all tracks, from 1 on; None is the one that players show.
    camera_size: (height, width) to ask a camera for; None leaves it to the camera.
    camera_fps: frames a second to ask a camera for; None leaves it to the camera.
    reconnect: live sources that were lost are opened again, for ever; otherwise a loss is an error.
    open_timeout_s: seconds that a camera or a live stream may take to answer, each time it is opened; None leaves it to
        the kind of source.

    Raises:
        UsageError: a value of the wrong type or out of range, or hardware with a reader that knows none.
    """

    reader: Reader = "pyav"
    decoder: DecoderName = "cpu"
    start_s: float = 0.0
    duration_s: float | None = None
    max_frames: int | None = None
    threads: int | None = None
    fps: float | None = None
    track: int | None = None
    camera_size: Size | None = None
    camera_fps: float | None = None
    reconnect: bool = True
    open_timeout_s: float | None = None

    def __post_init__(self) -> None:
        _require_choice("reader", self.reader, get_args(Reader))
        _require_choice("decoder", self.decoder, get_args(DecoderName))
        if not (_is_number(self.start_s) and 0 <= self.start_s <= MOST_NUMBER):
            raise UsageError(f"`start_s` must be 0 or more seconds, got {self.start_s!r}")
        _require_above_0("duration_s", self.duration_s, "seconds")
        _require_count("max_frames", self.max_frames)
        _require_count("threads", self.threads, MOST_THREADS)
        _require_count("track", self.track)
        _require_above_0("fps", self.fps, "frames a second")
        _require_size("camera_size", self.camera_size)
        _require_above_0("camera_fps", self.camera_fps, "frames a second")
        _require_switch("reconnect", self.reconnect)
        _require_above_0("open_timeout_s", self.open_timeout_s, "seconds")
        if self.decoder != "cpu" and self.reader != "pyav":
            raise UsageError(f"`decoder` is for video files read by PyAV, and `reader` is {self.reader!r}")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which network runs, where, and on which frames.

    model: an .onnx file or the name of a bundled one; None is the bundled default.
    size: (height, width) of its input, one of those that it is offered at; None is its own, or what `target_fps` takes.
    device: where it runs, such as "auto", "cpu" or "cuda:1"; which there are, the engines know.
    precision: what it computes in, such as "auto" or "fp32"; which there are, the engines know.
    clahe: contrast equalisation before it: "auto" as it was trained.
    threads: of the CPU; None is one for each core.
    target_fps: frames a second that its size, unless it is given, and `every` are to be chosen for; None chooses
        nothing.
    every: it runs on the first of so many frames, the others get labels moved from there; "auto" chooses by what the
        picture does, see `choosing`; None is what `target_fps` takes, else "auto" for a video file and 1 for others.
    untrusted_model: it is loaded and run in a process of its own, with limits on memory and time.
    load_timeout_s: seconds that it may take to load; None is as `load_backend` has it.
    steady: so many frames on either side of a frame vote on its labels, moved along the motion, of a live source only
        those before it; 0 for none, and then `every` is not chosen. None is 0 where the network runs on every frame,
        else `USUAL_BETWEEN`.

    Raises:
        UsageError: a value of the wrong type or out of range, both `target_fps` and `every`, or "auto" where labels are
            not to move.
    """

    model: str | None = None
    size: Size | None = None
    device: str = "auto"
    precision: str = "auto"
    clahe: ClaheMode = "auto"
    threads: int | None = None
    target_fps: float | None = None
    every: Every | None = None
    steady: int | None = None
    untrusted_model: bool = False
    load_timeout_s: float | None = None

    def __post_init__(self) -> None:
        # Device and precision are not checked here: which there are depends on the engines that are installed.
        _require_size("size", self.size)
        _require_choice("clahe", self.clahe, get_args(ClaheMode))
        _require_count("threads", self.threads, MOST_THREADS)
        _require_above_0("target_fps", self.target_fps, "frames a second")
        if self.every != "auto":
            _require_count("every", self.every)
        _require_count("steady", self.steady, MOST_STEADY, 0)
        _require_switch("untrusted_model", self.untrusted_model)
        _require_above_0("load_timeout_s", self.load_timeout_s, "seconds")
        if self.target_fps is not None and self.every is not None:
            raise UsageError("`target_fps` finds out on which frames the network runs; leave `every` out")
        if self.every == "auto" and self.steady == 0:
            raise UsageError('`every="auto"` moves labels from frame to frame; leave `steady` out, or give a number')


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What is written, shown and said.

    output: a file, or a folder for what is named after the source, or "window:" or "null:"; None is beside a recording,
        and nowhere for a live source.
    frames: write each frame as a picture into a folder, and no video.
    masks: a folder for pictures of class ids; None writes none.
    labels: a .mkv file for a lossless video of class ids; None writes none.
    stats: a .csv or .jsonl file for a line a frame; None writes none.
    gps: a .gpx or .csv file for where the camera was; None writes none.
    report: a .json file for how it went, written also where it fails; None writes none.
    json: print that report to standard output, and everything else to standard error.
    segment_s: seconds of each file that a live source is recorded in; None is one file for all.
    overwrite: files that are there, and that streamseg wrote, may be replaced.
    resume: go on from what an earlier run left of the same video; where it left nothing, begin.
    serve: where the page is served; None serves one only of a live source where there is no display.
    allow_host: names that the page is also reached by.
    realtime: a recording is played at its own speed; False is as fast as may be. None is its own speed where it is
        looked at and no output is named.
    loop: a recording begins anew when it is over; nothing is written then.
    view: what is painted, see `Settings`.
    alpha: strength of the colours, 0 to 1.
    classes: names of those to paint; None is all.
    palette: whose colours they are painted in, a name in `streamseg.palettes` or a file; None is the model's own.
    color: "NAME=#rrggbb" for single classes, stronger than the palette.
    region, ignore_region: polygons that count, and that do not, see `streamseg.regions.Regions`.
    effect: "blur:CLASS,..." each, or another of `EFFECTS`: what is done to the picture before it is painted.
    effect_margin: pixels around the labels that it is done to, too.
    effect_frames: frames before and behind in which it is done to the same pixels, too.
    legend: list the colours in the picture.
    legend_corner: where, one of `streamseg.text_drawing.CORNERS`, which the painter checks.
    hud: show frame rate, latency, drops and device in the picture.
    encoder: of H.264, "auto" takes hardware if a short trial works.
    crf: constant quality of a video, from 0 (best); which is the largest, its encoder knows. None is about as large as
        the source.
    bitrate: bits a second of a video; None goes by quality.
    sound: the source's is put beside the pictures of a video.
    height: of what is recorded, an even number of pixels; the width follows. None keeps the source's.
    output_fps: frames a second of what is recorded, by leaving out and repeating; None keeps the source's times.
    quiet: say nothing but errors.
    verbose: say what was chosen, and the time of each stage.

    Raises:
        UsageError: a value of the wrong type or out of range.
    """

    output: str | None = None
    frames: bool = False
    masks: Path | None = None
    labels: Path | None = None
    stats: Path | None = None
    gps: Path | None = None
    report: Path | None = None
    json: bool = False
    segment_s: float | None = None
    overwrite: bool = False
    resume: bool = False
    serve: Address | None = None
    allow_host: tuple[str, ...] = ()
    realtime: bool | None = None
    loop: bool = False
    view: View = "overlay"
    alpha: float = 0.5
    classes: tuple[str, ...] | None = None
    palette: str | None = None
    color: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    ignore_region: tuple[str, ...] = ()
    effect: tuple[str, ...] = ()
    effect_margin: int = 8
    effect_frames: int = 2
    legend: bool = True
    legend_corner: str = "bottom-left"
    hud: bool = False
    encoder: EncoderName = "auto"
    crf: int | None = None
    bitrate: int | None = None
    sound: bool = True
    height: int | None = None
    output_fps: float | None = None
    quiet: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        # Names of classes are checked against the model, by the painter; suffixes by whoever writes the file.
        for name in ("output", "masks", "labels", "stats", "gps", "report", "palette"):
            _require_place(name, getattr(self, name))
        _require_above_0("segment_s", self.segment_s, "seconds")
        _require_choice("view", self.view, VIEWS)
        if not (_is_number(self.alpha) and 0 <= self.alpha <= 1):
            raise UsageError(f"`alpha` must be from 0 (invisible) to 1 (opaque), got {self.alpha!r}")
        for name in ("allow_host", "classes", "color", "effect", "region", "ignore_region"):
            _require_names(name, getattr(self, name))
        check_colors(self.color)
        for each in self.effect:
            effect_of(each)
        _require_count("effect_margin", self.effect_margin, MOST_MARGIN, 0)
        _require_count("effect_frames", self.effect_frames, MOST_STEADY, 0)
        _require_choice("encoder", self.encoder, get_args(EncoderName))
        _require_count("crf", self.crf, MOST_CRF, 0)
        _require_count("bitrate", self.bitrate)
        if self.crf is not None and self.bitrate is not None:
            raise UsageError("`crf` and `bitrate` are two ways to say how large a video becomes; give one of them")
        _require_count("height", self.height, MOST_HEIGHT, 2)
        if self.height is not None and self.height % 2:
            raise UsageError(f"`height` must be even, as videos have it, got {self.height}")
        _require_above_0("output_fps", self.output_fps, "frames a second")
        if self.output_fps is not None and self.output_fps > MOST_FPS:
            raise UsageError(f"`output_fps` must be at most {MOST_FPS}, got {self.output_fps!r}")
        if self.json and self.output == "-":
            raise UsageError("`json` and the video cannot both go to standard output; use `report`")
        if self.realtime is not None:
            _require_switch("realtime", self.realtime)
        for name in ("frames", "json", "loop", "overwrite", "resume", "legend", "sound", "hud", "quiet", "verbose"):
            _require_switch(name, getattr(self, name))


def effect_of(text: str) -> tuple[str, tuple[str, ...]]:
    """The kind of an effect and the names of its classes, of "blur:pedestrian,car".

    Raises:
        UsageError: it is not written so, or there is no such effect.
    """
    kind, _, names = text.partition(":")
    found = tuple(name.strip() for name in names.split(",") if name.strip())
    if kind not in EFFECTS or not found:
        raise UsageError(f"'{text}' is no effect; write one of {', '.join(EFFECTS)} and classes: blur:pedestrian,car")
    return kind, found


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"`{name}` must be one of {', '.join(choices)}, got {value!r}")


def _require_count(name: str, value: Any, most: int = MOST_COUNT, least: int = 1) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        # A limit of the machine is of interest to nobody but who went past it.
        endless = most == MOST_COUNT and not (isinstance(value, int) and value > most)
        span = f"{least} or more" if endless else f"from {least} to {most}"
        raise UsageError(f"`{name}` must be a whole number, {span}, got {value!r}")


def _require_above_0(name: str, value: Any, unit: str) -> None:
    if value is None:
        return
    if not (_is_number(value) and value > 0):
        raise UsageError(f"`{name}` must be more than 0 {unit}, got {value!r}")
    if not _LEAST_ABOVE_0 <= value <= MOST_NUMBER:
        raise UsageError(f"`{name}` must be from {_LEAST_ABOVE_0:g} to {MOST_NUMBER:g} {unit}, got {value!r}")


def _require_switch(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"`{name}` must be True or False, got {value!r}")


def _require_place(name: str, value: Any) -> None:
    # A null byte ends a name in C, and an empty one is the folder that a program happens to be in.
    if value is not None and (not str(value) or "\0" in str(value)):
        raise UsageError(f"`{name}` must be the name of a place, not empty and without a null byte, got {str(value)!r}")


def _require_names(name: str, value: object) -> None:
    # A lone text would be taken for a name of each of its letters.
    if value is not None and not (isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)):
        raise UsageError(f"`{name}` must be names in a tuple or list, got {value!r}")


def _is_number(value: object) -> bool:
    # True and False are integers to Python, and infinity would never come to its end.
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _require_size(name: str, value: Any) -> None:
    """(height, width), both whole and above 0; None passes."""
    pair = isinstance(value, tuple) and len(value) == 2
    if value is None or (
        pair and all(isinstance(side, int) and not isinstance(side, bool) and 0 < side <= MOST_SIDE for side in value)
    ):
        return
    raise UsageError(f"`{name}` must be two whole numbers from 1 on, at most {MOST_SIDE}, got {value!r}")

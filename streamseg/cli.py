"""The command line: options in, one Pipeline out, one line per error, an exit code that tells what went wrong.

Exit codes: 0 done, 1 a fault of streamseg itself, 2 usage, 3 source, 4 model or device, 5 output,
6 slower than the benchmark it was compared with, 130 stopped by Ctrl-C (what was written by then is complete).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from streamseg import __version__
from streamseg.commands import flags
from streamseg.commands.failures import exit_code, one_line, print_traceback
from streamseg.commands.hints import usage_in_words
from streamseg.commands.saying import on_one_line, open_closed_streams, say
from streamseg.errors import INTERRUPTED, UsageError
from streamseg.options import MOST_COUNT, MOST_NUMBER, MOST_SIDE, MOST_STEADY, MOST_THREADS
from streamseg.views import VIEWS

Command = TypeVar("Command", bound=Callable[..., Any])

_DIGITS = 9  # of a side of a size: more than any picture has, and what every machine turns into a number at once


class Seconds(click.ParamType[float]):
    """A time as seconds or [hours:]minutes:seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds as a float, not negative."""
        if isinstance(value, float):  # click hands defaults through here too
            return value
        try:
            seconds = 0.0
            for part in str(value).split(":"):
                seconds = 60 * seconds + float(part)
        except ValueError:
            self.fail(f"'{value}' is not a time; write seconds (12.5) or minutes and seconds (1:30)", param, ctx)
        if not 0 <= seconds <= MOST_NUMBER:  # not so of nan, which nothing is larger or smaller than
            self.fail(f"'{value}' is not a time from 0 to {MOST_NUMBER:g} seconds", param, ctx)
        return seconds


class Number(click.FloatRange):
    """A number that something can be reckoned with: not nan, not infinite, not past what a clock can count."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A float within the range."""
        number = float(super().convert(value, param, ctx))
        # click compares with its limits alone, and every comparison with nan is False.
        if not abs(number) <= MOST_NUMBER:
            self.fail(f"'{value}' is not a number up to {MOST_NUMBER:g}", param, ctx)
        return number


class Count(click.IntRange):
    """A whole number that C libraries can hold."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """An int within the range."""
        number = int(super().convert(value, param, ctx))
        if number > MOST_COUNT:
            self.fail(f"{str(value)[:20]} is more than {MOST_COUNT}", param, ctx)
        return number


class Name(click.ParamType[str]):
    """A name of a file or an address, which is something and which systems can be asked for."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it was written."""
        # A null byte ends a name in C; an empty one would be taken for the folder that somebody happens to be in.
        if not str(value) or "\0" in str(value):
            self.fail("a name cannot be empty or hold a null byte", param, ctx)
        return str(value)


class Place(Name):
    """A name of a file or folder; its value is a `Path`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A Path."""
        return Path(super().convert(value, param, ctx))


class PictureSize(click.ParamType[tuple[int, int]]):
    """A size as WIDTHxHEIGHT; its value is (height, width)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """(height, width), both positive."""
        size = re.fullmatch(r"([1-9][0-9]*)[xX×]([1-9][0-9]*)", str(value))
        if size is None:
            self.fail(f"'{value}' is not a size; write WIDTHxHEIGHT, such as 1280x720", param, ctx)
        width, height = (int(side[:_DIGITS]) for side in size.groups())
        if max(width, height) > MOST_SIDE:
            self.fail(f"a size of more than {MOST_SIDE} pixels each way is none of a picture", param, ctx)
        return height, width


class BitRate(click.ParamType[int]):
    """Bits a second, with k or M behind thousands or millions; its value is the number of bits."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Whole bits, above 0."""
        # Thousands and millions, as of bits everywhere, not 1024: a player says 4000 kbit/s for 4M.
        found = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)([kKmM]?)", str(value))
        bits = round(float(found[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2].lower()]) if found else 0
        if bits < 1:
            self.fail(f"'{value}' is not a bit rate; write bits a second, such as 4M or 800k", param, ctx)
        return bits


class SteadyFrames(Count):
    """So many frames on a side, or "off", whose value is 0."""

    def __init__(self) -> None:
        super().__init__(1, MOST_STEADY)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """From 0 on."""
        if value in ("off", 0):
            return 0
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"'{value}' is neither off nor a number of frames from 1 to {MOST_STEADY}", param, ctx)


class EveryFrames(Count):
    """On every which frame, or "auto"."""

    def __init__(self) -> None:
        super().__init__(1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """From 1 on, or "auto"."""
        if value == "auto":
            return value
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"'{value}' is neither auto nor a whole number of frames from 1 on", param, ctx)


def _smooth_is_gone(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """Raises click.UsageError where somebody asks for what was there once."""
    if value is not None:
        raise click.UsageError(
            "--smooth is gone: labels move with the picture now; use --steady N or --steady off", ctx
        )


class Times(click.ParamType[tuple[float, ...]]):
    """Times between commas, each as `Seconds` takes it."""

    name = "times"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """One or more, in seconds."""
        if isinstance(value, tuple):
            return value
        return tuple(Seconds().convert(each.strip(), param, ctx) for each in str(value).split(","))


class Minutes(Number):
    """A length in minutes, above 0; its value is in seconds."""

    def __init__(self) -> None:
        super().__init__(0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds as a float."""
        return 60 * float(super().convert(value, param, ctx))


class Names(click.ParamType[tuple[str, ...]]):
    """Names between commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ARG002
        """All that are not empty, as they were written."""
        return tuple(name for name in str(value).split(",") if name.strip())


class ServeAddress(click.ParamType[Any]):
    """Where to serve a page, as [HOST:]PORT; its value is an `Address`."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """An `Address`; the usual one for no text at all."""
        from streamseg.web_address import Address, parse_address

        if isinstance(value, Address):
            return value
        try:
            return parse_address(value) if value else Address()  # --serve alone: the usual place
        except UsageError as error:
            raise UsageError(f"{error}; if that is the SOURCE, put it before --serve") from error


class Host(click.ParamType[str]):
    """A name of a host."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """In small letters."""
        from streamseg.web_address import parse_host

        return parse_host(str(value))


class Device(click.ParamType[str]):
    """A device of one of the engines, which are looked up when help is asked for; `load_backend` checks the value."""

    name = "device"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """All devices that the installed engines have."""
        from streamseg.backends.engines import AUTO, device_names, engines

        return "|".join([AUTO, *device_names(engines())])


class Precision(click.ParamType[str]):
    """A precision that one of the engines computes in."""

    name = "precision"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """All precisions that the installed engines know."""
        return f"[{'|'.join(self._names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, one of those there are."""
        if value not in self._names():
            self.fail(f"'{value}' is not one of {', '.join(self._names())}", param, ctx)
        return str(value)

    @staticmethod
    def _names() -> list[str]:
        from streamseg.backends.engines import AUTO, precision_names

        return [AUTO, *precision_names()]


def model_options(command: Command) -> Command:
    """The options that choose the network and where it runs, the same for every command that runs one."""
    for option in (
        click.option("--load-timeout", "load_timeout_s", type=Number(0, min_open=True), metavar="SECONDS",
                     help="How long the network may take to load; default: 600, of an untrusted one 120."),
        click.option("--untrusted-model", is_flag=True,
                     help="Load and run the network in a process of its own, with limits on memory and time."),
        click.option("--threads", type=Count(1, MOST_THREADS),
                     help="CPU threads of the network; default: one per core."),
        click.option("--clahe", type=click.Choice(["on", "off", "auto"]), default="auto", show_default=True,
                     help="Contrast equalisation before the network; auto: as the model was trained."),
        click.option("--precision", type=Precision(), default="auto", show_default=True,
                     help="What the network computes in; auto: what is fastest here and agrees with fp32."),
        click.option("--device", type=Device(), default="auto", show_default=True,
                     help="Where the network runs; one that is named fails when it is not really used."),
        click.option("--size", type=PictureSize(), metavar="WxH",
                     help="Size of the network's input, one of those that `streamseg info` lists."),
        click.option("--model", type=Name(), metavar="FILE|NAME",
                     help="An .onnx or OpenVINO .xml file, or a bundled model's name."),
    ):  # fmt: skip
        command = option(command)
    return command


class CommandLine(click.Group):
    """The commands, with a word for whoever names a clip where a command belongs."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises click.UsageError, which tells what was probably meant."""
        from streamseg.commands.hints import command_meant

        if self.get_command(ctx, args[0]) is None and (meant := command_meant(args, self.list_commands(ctx))):
            raise click.UsageError(f"'{args[0]}' is no command; did you mean '{meant}'?", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=CommandLine,
    invoke_without_command=True,  # click's own help for no words at all comes as an error, on a single line
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="streamseg %(version)s")
@click.pass_context
def command_line(context: click.Context) -> None:
    """Segment driving video in real time: files, webcams and network cameras to overlays.

    \b
    streamseg run clip.mp4          an overlay video beside the clip
    streamseg run 0                 a live overlay of the first webcam
    streamseg bench                 how fast is this machine?
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command_line.command()
@click.argument("words", nargs=-1, metavar="SOURCE... [OUTPUT]")
@click.option(
    "-o", "--output", type=Name(), metavar="OUTPUT", help="Where to write; every other word is then a SOURCE."
)
@click.option(
    "--source-file",
    type=Place(),
    metavar="FILE",
    help="Read SOURCEs from a file, one a line: addresses with passwords that `ps` is not to show.",
)
@click.option("--frames", is_flag=True, help="Write every frame as a picture, into a folder, instead of a video.")
@click.option("--masks", type=Place(), metavar="DIR", help="Also write class ids as PNG files.")
@click.option("--labels", type=Place(), metavar="FILE.mkv", help="Also write class ids as one lossless video.")
@click.option("--stats", type=Place(), metavar="FILE", help="Also write a line per frame, .csv or .jsonl.")
@click.option(
    "--gps",
    type=Place(),
    metavar="FILE",
    help="Also write where the camera was, .gpx or .csv, if the recording says so.",
)
@click.option(
    "--report",
    type=Place(),
    metavar="FILE.json",
    help="Also write how it went, for programs: frames, timings, versions, status; also of a run that fails.",
)
@click.option("--json", is_flag=True, help="Print that report to standard output, and all else to standard error.")
@click.option(
    "--segment",
    "segment_s",
    type=Minutes(),
    metavar="MINUTES",
    help="Record a live source in files of this length, each named by when it begins.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that streamseg wrote before; nothing else ever is.")
@click.option("--resume", is_flag=True, help="Go on from what an earlier run left of OUTPUT, if it left anything.")
@click.option(
    "--serve",
    type=ServeAddress(),
    is_flag=False,
    flag_value="",
    metavar="[[HOST:]PORT]",
    help="Show the run as a page in a browser, at 127.0.0.1:8080 or here; a live source does so by itself where there "
    "is no display.",
)
@click.option(
    "--allow-host",
    type=Host(),
    multiple=True,
    metavar="NAME",
    help="A name that the page is also reached by, as behind a proxy; may be given several times.",
)
@click.option(
    "--realtime/--no-realtime",
    default=None,
    help="Play a recording at its own speed, or as fast as may be; default: its own where it is looked at and no "
    "OUTPUT is named.",
)
@click.option("--loop", is_flag=True, help="Show a recording again and again; nothing is written.")
@click.option(
    "--view",
    type=click.Choice(list(VIEWS)),
    default="overlay",
    show_default=True,
    help="Colours over the picture, colours alone, both side by side, or half and half.",
)
@click.option("--alpha", type=Number(0, 1), default=0.5, show_default=True, help="Strength of the colours.")
@click.option("--classes", type=Names(), metavar="A,B", help="Paint only these classes; `streamseg info` lists them.")
@click.option(
    "--palette",
    type=Name(),
    metavar="NAME|FILE",
    help="Colours of the classes: safe, cityscapes, camvid, ... or a TOML file; default: the model's own.",
)
@click.option("--color", multiple=True, metavar="NAME=#rrggbb", help="Colour of one class; may be given several times.")
@click.option(
    "--region",
    multiple=True,
    metavar="FILE|'X,Y X,Y ...'",
    help="Only what is in this polygon is painted and counted; in pixels or percent, as '0,40% 100%,100%'.",
)
@click.option(
    "--ignore-region",
    multiple=True,
    metavar="FILE|'X,Y X,Y ...'",
    help="What is in this polygon is neither painted nor counted, such as the own bonnet.",
)
@click.option(
    "--effect",
    multiple=True,
    metavar="KIND:A,B",
    help="Change the picture where these classes are: blur, pixelate or gray; cut blackens all the rest.",
)
@click.option(
    "--effect-margin", type=Count(0), default=8, show_default=True, metavar="N", help="Pixels around them, too."
)
@click.option(
    "--effect-frames",
    type=Count(0),
    default=2,
    show_default=True,
    metavar="N",
    help="Frames before and behind, too, so that nobody is seen before being found.",
)
@click.option("--legend/--no-legend", default=True, show_default=True, help="List the colours in the picture.")
@click.option(
    "--legend-corner",
    type=click.Choice(["bottom-left", "bottom-right", "top-right"]),
    default="bottom-left",
    show_default=True,
    help="Where it is.",
)
@click.option("--hud", is_flag=True, help="Show fps, latency, drops and device in the picture.")
@click.option("--start", "start_s", type=Seconds(), default=0.0, help="Begin here, in seconds or m:ss.")
@click.option("--duration", "duration_s", type=Seconds(), help="Stop after this much, in seconds or m:ss.")
@click.option("--max-frames", type=Count(1), help="Stop after so many frames.")
@click.option("--fps", type=Number(0, min_open=True), metavar="F", help="Rate of a raw stream (.h264).")
@click.option(
    "--track",
    type=Count(1),
    metavar="N",
    help="Which video track of a file; `streamseg info FILE` lists them.",
)
@click.option("--camera-size", type=PictureSize(), metavar="WxH", help="Size to ask the camera for.")
@click.option("--camera-fps", type=Number(0, min_open=True), metavar="F", help="Rate to ask the camera for.")
@click.option(
    "--reconnect/--no-reconnect",
    default=True,
    show_default=True,
    help="Open a camera or stream again when it was lost, for ever, or end with an error.",
)
@click.option(
    "--open-timeout",
    "open_timeout_s",
    type=Number(0, min_open=True),
    metavar="SECONDS",
    help="How long a camera or stream may take to answer when it is opened; default: 10, streams 3.",
)
@model_options
@click.option(
    "--target-fps",
    type=Number(0, min_open=True),
    metavar="F",
    help="Choose the network's size, or on which frames it runs, so that it keeps up with this rate.",
)
@click.option(
    "--every",
    type=EveryFrames(),
    metavar="N|auto",
    help="Run the network on every Nth frame, or where the picture asks for it (at least every 3rd); labels move on "
    "between; default: auto for a video file, else 1.",
)
@click.option(
    "--steady",
    type=SteadyFrames(),
    metavar="N",
    help="N frames on either side, moved with the picture, vote on labels (live: before), or off; default: 5 where "
    "the network runs on a part of the frames, else off.",
)
@click.option("--smooth", hidden=True, expose_value=False, callback=_smooth_is_gone)
@click.option(
    "--reader", type=click.Choice(["pyav", "opencv"]), default="pyav", show_default=True, help="What reads video files."
)
@click.option(
    "--decoder",
    type=click.Choice(["cpu", "auto", "cuda", "vaapi", "videotoolbox"]),
    default="cpu",
    show_default=True,
    help="What decodes video files: the CPU, or hardware; auto: hardware if it works.",
)
@click.option(
    "--encoder",
    type=click.Choice(["auto", "x264", "nvenc", "videotoolbox", "vaapi"]),
    default="auto",
    show_default=True,
    help="What compresses H.264; auto: hardware if a short trial works, else x264.",
)
@click.option(
    "--crf",
    type=Count(0, 63),
    metavar="N",
    help="Quality of the video, 0 is best; default: 23 (.webm 32), at about the source's bit rate at most.",
)
@click.option("--bitrate", type=BitRate(), metavar="RATE", help="Bits a second of the video, such as 4M or 800k.")
@click.option(
    "--sound/--no-sound", default=True, show_default=True, help="Keep the sound of the source, or leave it out."
)
@click.option("--height", type=Count(2), metavar="N", help="Height of what is written; the width follows.")
@click.option(
    "--output-fps",
    type=Number(0, min_open=True),
    metavar="F",
    help="Rate of the video, by leaving out and repeating frames; default: the source's own times.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Print what was chosen, and the time of each stage.")
def run(words: tuple[str, ...], source_file: Path | None, **values: Any) -> int:  # fmt: skip
    """Segment each SOURCE and write or show the overlay.

    SOURCE is a video file, a folder or quoted glob of videos or of pictures, a picture, a camera number or device, an
    rtsp://, http:// or udp:// address, browser: (the camera of whoever opens the page that is served then), or
    synthetic: (the built-in scene; synthetic:1280x720,fps=30,seed=1,frames=300). Several are run one after the other;
    what streamseg wrote itself is left out then.

    OUTPUT is a file (.mp4, .mov, .mkv, .webm, .gif; .png or .jpg for a picture, out/%06d.png for every frame), or a
    folder: one that is there, or a name with a / at its end. Left out, it is NAME_overlay.mp4 beside a video
    (NAME_side.mp4 with --view side), NAME_overlay.jpg beside a picture, NAME_overlay/ beside a folder of pictures, and
    nothing for a live source.

    A live source is shown, in a window or else on a page, whether it is recorded or not; null: neither shows nor
    writes pictures. Keys in the window: q or Escape ends, space pauses, Tab goes to the next view, + and - change the
    colours, c CLAHE, l the legend, h the figures, s saves a picture, f is full screen.

    \b
    streamseg run clip.mp4
    streamseg run *.mp4 -o overlays/
    streamseg run clip.mp4 out.mkv --classes road,car --masks masks --stats stats.csv
    streamseg run "frames/*.png" overlays/
    streamseg run synthetic: demo.mp4 --duration 10
    streamseg run 0 --camera-size 1280x720
    streamseg run rtsp://camera/stream drive.mp4 --segment 10 --serve 8080
    """
    from streamseg.commands.arguments import addresses_in
    from streamseg.commands.run import run_command
    from streamseg.commands.run_record import recorded

    # Around everything, so that options that contradict each other are in the report too.
    with recorded(values["report"], values["model"], printed=values["json"]) as record:
        if source_file is not None:
            words = (*addresses_in(source_file), *words)
        if not words:
            raise click.UsageError("Missing argument 'SOURCE'.", click.get_current_context())
        options = flags.source_options(values), flags.model_options(values), flags.output_options(values)
        record.code = run_command(words, *options, record)
    return record.code


@command_line.command()
@click.argument("clip", type=Name())
@click.argument("folder", type=Place(), required=False)
@click.option("--at", "times_s", type=Times(), required=True, metavar="TIME,...", help="When, in seconds or m:ss.")
@click.option("--view", type=click.Choice(list(VIEWS)), default="overlay", show_default=True, help="As of `run`.")
@click.option("--alpha", type=Number(0, 1), default=0.5, show_default=True, help="Strength of the colours.")
@click.option("--classes", type=Names(), metavar="A,B", help="Paint only these classes.")
@click.option("--palette", type=Name(), metavar="NAME|FILE", help="Colours of the classes, as of `run`.")
@click.option("--color", multiple=True, metavar="NAME=#rrggbb", help="Colour of one class.")
@click.option("--legend/--no-legend", default=True, show_default=True, help="List the colours in the picture.")
@click.option("--overwrite", is_flag=True, help="Replace pictures that streamseg wrote before.")
@model_options
def stills(clip: str, folder: Path | None, times_s: tuple[float, ...], **values: Any) -> int:  # fmt: skip
    """Write overlays of single moments of CLIP as pictures, into FOLDER or beside it.

    \b
    streamseg stills clip.mp4 --at 0:12,0:40        clip_0m12s.png, clip_0m40s.png
    """
    from streamseg.commands.stills import Look, stills_command

    look = Look(**{name: values[name] for name in Look.__dataclass_fields__})
    return stills_command(clip, times_s, folder, flags.model_options(values), look)


@command_line.command()
@click.argument("model", required=False, metavar="[MODEL|RECORDING]")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def info(model: str | None, as_json: bool) -> int:
    """Print what a model file says of itself, or list the tracks of a recording.

    It is the bundled model if nothing is named.
    """
    from streamseg.commands.info import info_command

    return info_command(model, as_json=as_json)


@command_line.command()
@click.argument("model")
def describe(model: str) -> int:
    """Draft the TOML for a model from elsewhere.

    MODEL is an .onnx or OpenVINO .xml file. What it tells is filled in: input, outputs, size, classes. Lines with a
    question mark are to be checked.

    \b
    streamseg describe mynet.onnx > mynet.toml
    """
    from streamseg.commands.describe import describe_command

    return describe_command(model)


@command_line.command()
@click.argument("source", default="synthetic:")
@click.option(
    "--sink",
    type=click.Choice(["video", "null"]),
    default="video",
    show_default=True,
    help="Encode an overlay video (thrown away), or write nothing.",
)
@click.option(
    "--track",
    type=Count(1),
    metavar="N",
    help="Which video track of a file; `streamseg info FILE` lists them.",
)
@click.option("--frames", type=Count(1), default=300, show_default=True, help="How many to measure at most.")
@click.option("--warmup", type=Count(0), default=30, show_default=True, help="Frames before measuring starts.")
@click.option(
    "--realtime",
    type=Number(0, min_open=True),
    metavar="FPS",
    help="Feed frames at this rate, as a camera would, and count drops.",
)
@click.option(
    "--every",
    type=EveryFrames(),
    metavar="N|auto",
    help="On which frames the network runs; default: as `streamseg run` does.",
)
@click.option(
    "--steady", type=SteadyFrames(), metavar="N", help="Frames on either side that vote on labels, or off; as of run."
)
@click.option(
    "--quality",
    is_flag=True,
    help="Also measure how good labels are with the network on every frame, every 2nd, 3rd, 5th and where the picture "
    "asks for it: of the built-in scene against its exact ones, else against every frame by itself.",
)
@click.option("--json", "json_file", type=Place(), metavar="FILE", help="Write the results to a file.")
@click.option(
    "--compare",
    type=Place(),
    metavar="OLD.json",
    help="Exit with 6 when slower than an earlier result.",
)
@click.option(
    "--tolerance",
    type=Number(0, 1),
    default=0.05,
    show_default=True,
    help="How much slower --compare lets pass, as a share.",
)
@model_options
@click.option(
    "--reader", type=click.Choice(["pyav", "opencv"]), default="pyav", show_default=True, help="What reads video files."
)
def bench(source: str, **values: Any) -> int:  # fmt: skip
    """Measure throughput, and say what limits it.

    From decoder to encoder, of a video or, if SOURCE is left out, of the built-in scene.
    """
    from streamseg.commands.bench import BenchOptions, bench_command

    return bench_command(source, flags.source_options(values), flags.model_options(values), BenchOptions.among(values))


@command_line.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def cameras(as_json: bool) -> int:
    """List the cameras at this machine, with their sizes and rates."""
    from streamseg.commands.cameras import cameras_command

    return cameras_command(as_json=as_json)


@command_line.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--retune", is_flag=True, help="Forget which way to run each network is fastest here, and try anew.")
def doctor(as_json: bool, retune: bool) -> int:
    """Check this machine: versions, libraries, devices that really run, codecs, display, cameras."""
    from streamseg.commands.doctor import doctor_command

    return doctor_command(as_json=as_json, retune=retune)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code; never lets a traceback out unless STREAMSEG_TRACEBACK is set."""
    # Here, as it is too late once anything has imported NumPy, and a library must not set it for its program.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy loads; ours are products of microseconds
    open_closed_streams()  # before anything else is opened, which would get their numbers
    try:
        # Not standalone: click would end the process itself, and print errors in another form than the rest.
        return int(command_line.main(arguments, prog_name="streamseg", standalone_mode=False) or 0)
    except click.ClickException as error:
        # The command that the usage is wrong for, so that its --help is at hand.
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "streamseg"
        message = usage_in_words(error)
        if where.endswith(" run") and "--json" in (sys.argv[1:] if arguments is None else arguments):
            # A program that asked for JSON gets it whatever happens, also where click could not read the words.
            from streamseg.commands.run_record import print_refused

            print_refused(2, message)
        return _say(f"{message} (see {where} --help)", 2)
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped", INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has left, `| head` for one
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # on purpose, or a fault of ours or of the installation
        print_traceback(error)
        return _say(one_line(error, command_line), exit_code(error))


def _say(message: str, exit_code: int) -> int:
    say(on_one_line(f"streamseg: {message}"), err=True)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

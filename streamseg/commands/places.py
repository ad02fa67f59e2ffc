"""Where a run writes when its OUTPUT is a folder, or was not said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamseg.atomic import cannot_write
from streamseg.commands.arguments import STANDARD, is_folder, is_view
from streamseg.errors import SinkError, UsageError
from streamseg.frame import StreamInfo
from streamseg.options import OutputOptions
from streamseg.sinks.formats import PICTURES
from streamseg.sources.pipe import STANDARD_INPUT, is_pipe
from streamseg.sources.url import is_url, stem_in

_DEVICES = "/dev/"  # where what is there has no suffix, and nothing new can be made


def place_for(options: OutputOptions, address: str, info: StreamInfo, *, several: bool) -> str:
    """The file or, with a / at its end, the folder that the pictures of a source go to.

    address: of the source, as the user named it.
    several: whether other sources are run beside it, whose pictures must not go into one folder.

    Raises:
        SinkError: the folder that was asked for cannot be made.
        UsageError: one file is asked for, and a picture of every frame.
    """
    output = options.output
    pictures = options.frames or _are_many_pictures(address, info)
    # The results of pictures are a folder, also where its name has no / at the end.
    folder = output is not None and (is_folder(output) or ((pictures or several) and not Path(output).suffix))
    if output is None:
        return _beside(address, info, options)
    if not folder:
        if options.frames and "%" not in Path(output).name:
            raise UsageError(f"`frames` writes pictures and '{output}' is one file; name a folder, such as 'out/'")
        if not Path(output).suffix and not output.startswith(_DEVICES):
            raise SinkError(f"there is no '{output}'; for a new folder write '{output}/', for a video '{output}.mp4'")
        return output
    if pictures and not several:
        return f"{output.rstrip('/')}/"
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(Path(output), error) from error
    return str(Path(output) / _name(address, info, options)) + ("/" if pictures else "")


def refuse_one_file(output: str | None, count: int) -> None:
    """Raises UsageError where several sources would go into one file. count: how many they are."""
    if output == STANDARD:
        raise UsageError(f"{count} sources cannot go into one stream, standard output; name a folder, such as 'out/'")
    if output is None or is_view(output) or is_folder(output) or is_url(output):
        return
    if Path(output).suffix or Path(output).exists():
        raise UsageError(
            f"{count} sources cannot go into one file, '{output}'; name a folder, such as 'out/', or leave it out"
        )


def named_after(stem: str, options: OutputOptions) -> OutputOptions:
    """For one of several sources: masks in a folder of its own, labels, statistics and positions in files of its own.

    stem: what the results of the source are called after.
    """
    # In one place, those of the second source would have the names of the first one's.
    masks, labels, stats, gps = options.masks, options.labels, options.stats, options.gps
    return replace(
        options,
        masks=None if masks is None else masks / stem,
        labels=None if labels is None else labels.with_stem(f"{labels.stem}_{stem}"),
        stats=None if stats is None else stats.with_stem(f"{stats.stem}_{stem}"),
        gps=None if gps is None else gps.with_stem(f"{gps.stem}_{stem}"),
    )


def stem_of(address: str, info: StreamInfo) -> str:
    """What results of a source are called after."""
    if info.kind == "synthetic":  # of several sources that are made, each has its own name
        return address.partition(":")[0]
    if info.kind in ("camera", "network"):
        return info.kind
    if is_url(address):
        return stem_in(address)
    path = Path(address)
    if is_pipe(address):
        return "stdin" if address == STANDARD_INPUT else path.stem
    if _are_many_pictures(address, info):
        return (path if path.is_dir() else path.parent).resolve().name
    return path.stem


def _beside(address: str, info: StreamInfo, options: OutputOptions) -> str:
    name = _name(address, info, options)
    folder = Path()
    if info.kind in ("video", "pictures") and not (is_url(address) or is_pipe(address)):
        folder = Path(address).parent
        if _are_many_pictures(address, info):
            folder = (Path(address) if Path(address).is_dir() else folder).resolve().parent
    many = options.frames or _are_many_pictures(address, info)
    return str(folder / name) + ("/" if many else "")


def _name(address: str, info: StreamInfo, options: OutputOptions) -> str:
    """Of a file, or of a folder for pictures."""
    name = f"{stem_of(address, info)}_{options.view}"
    if options.frames or _are_many_pictures(address, info):
        return name
    if info.kind == "pictures":
        suffix = Path(address).suffix
        return name + (suffix if suffix.lower() in PICTURES else ".png")
    return f"{name}.mp4"


def _are_many_pictures(address: str, info: StreamInfo) -> bool:
    """Whether a source is a folder or glob of pictures, and no single one."""
    return info.kind == "pictures" and not Path(address).is_file()

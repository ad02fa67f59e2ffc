"""`streamseg run --resume`: going on from what an earlier run left of a recording."""

from __future__ import annotations

import glob
import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

from streamseg.atomic import is_being_written, is_part, parts_of, refuse_second_run, whole_name
from streamseg.backends import DEFAULT_MODEL, find_model
from streamseg.commands.saying import say
from streamseg.errors import SinkError, UsageError
from streamseg.file_tag import made_from, written_by_streamseg
from streamseg.frame import Frame
from streamseg.options import ModelOptions, OutputOptions, SourceOptions
from streamseg.sinks.formats import FORMATS
from streamseg.sinks.part import Origin, Part
from streamseg.sources import Source
from streamseg.sources.pipe import is_pipe
from streamseg.sources.wrapper import Wrapper

# Options that change no picture, so that a run may go on with others.
_NO_MATTER = {
    *("output", "masks", "labels", "stats", "gps", "report", "segment_s", "overwrite", "resume", "serve", "allow_host"),
    *("quiet", "verbose", "json", "device", "precision", "threads", "decoder", "reconnect", "open_timeout_s"),
    *("untrusted_model", "load_timeout_s"),
    *("duration_s", "max_frames", "camera_size", "camera_fps", "loop", "realtime"),
}
_ENDS = 1 << 20  # bytes: with the length, enough to tell files apart without reading all of a long one
_DIGITS = 16  # of the digest: no two of the recordings that somebody has will share one


@dataclass(frozen=True, slots=True)
class Request:
    """What a video is made from, as far as a run was asked for it.

    address: of the source, as the user named it.
    """

    address: str
    source: SourceOptions
    model: ModelOptions
    output: OutputOptions

    def digest(self) -> str:
        """Equal for runs that make the same pictures."""
        options = {**asdict(self.source), **asdict(self.model), **asdict(self.output)}
        known = {name: value for name, value in sorted(options.items()) if name not in _NO_MATTER and name != "model"}
        whole = hashlib.sha256(repr(known).encode())
        whole.update(_ends_of(Path(self.address)) or self.address.encode())
        model = find_model(self.model.model or DEFAULT_MODEL)
        for path in (model, model.with_suffix(".toml")):  # a description may lie beside the model
            whole.update(_ends_of(path))
        return whole.hexdigest()[:_DIGITS]


def origin_of(request: Request, recording: str | None, source: Source) -> Origin | None:
    """What a video is made from and, where that is wanted, the part of it that is there; None where it is no video.

    What is there and not wanted is said.

    recording: where pictures are written; None for nowhere.

    Raises:
        SinkError: what is there cannot be read, or is no part of the same video.
        UsageError: only recordings that are written as one video can be gone on with.
    """
    video = recording is not None and Path(recording).suffix.lower() in FORMATS
    resume = request.output.resume
    # At another rate the pictures that are there are not the source's first so many frames, and what comes through a
    # pipe is known by nothing until it has gone by: to look into it would take it from the run.
    whole = source.info.live or request.output.output_fps is not None or is_pipe(request.address)
    if resume and (whole or not video or request.output.segment_s is not None):
        raise UsageError(
            "`resume` goes on with the video of a recording, at its own rate; leave it out for anything else"
        )
    if recording is None or not video:
        return None
    path = Path(recording)
    segments = request.output.segment_s is not None
    if not segments:
        refuse_second_run(path)  # before what lies there is said: that is not left, but written just now
    digest = None if whole else request.digest()
    parts = _parts(path, segments=segments)
    if parts and not resume and not request.output.quiet:
        _say_what_lies_there(path, parts, digest)
    if digest is None or not resume:
        return None if digest is None else Origin(digest)
    # What a person has ended has its own name, and can be gone on with all the same.
    there = [Part(each) for each in [*parts, *([path] if written_by_streamseg(path) else [])]]
    found = [part for part in there if part.frames]  # without any there is nothing that could not fit
    fitting = [part for part in found if part.made_from == digest]
    if found and not fitting:
        raise SinkError(
            f"cannot go on from '{found[-1].path}': it was made from another source, with another model or other "
            "options; move it away to begin anew"
        )
    return Origin(digest, max(fitting, key=lambda part: part.frames, default=None))


def _parts(path: Path, *, segments: bool) -> list[Path]:
    """What earlier runs left; one that is killed at once leaves a file with nothing in it yet."""
    found = parts_of(path)
    if segments:
        stem, suffix = glob.escape(path.stem), glob.escape(path.suffix)
        found = sorted(each for each in path.parent.glob(f"{stem}_*.partial*{suffix}") if is_part(each))
        found = [each for each in found if not is_being_written(whole_name(each))]
    return [each for each in found if written_by_streamseg(each)]


def _say_what_lies_there(path: Path, parts: list[Path], digest: str | None) -> None:
    """digest: of what is made now; None for what cannot be gone on with."""
    names = ", ".join(f"'{part}'" for part in parts)
    left = "is what an earlier run" if len(parts) == 1 else "are what earlier runs"
    way_out = "; --resume goes on from it" if digest and digest in map(made_from, parts) else ""
    say(f"note: {names} {left} left of '{path}'{way_out}", err=True)


class PassedOver(Wrapper):
    """A source whose first frames are read and let go, since what was made of them is there.

    They are decoded all the same: what a file says of times, and where it is damaged, is the same only then.
    """

    def __init__(self, source: Source, frames: int) -> None:
        """frames: how many."""
        self._left = frames
        super().__init__(source)

    def read(self) -> Frame | None:
        while self._left:
            self._left -= 1
            if super().read() is None:
                return None
        return super().read()


def _ends_of(path: Path) -> bytes:
    """Length, beginning and end of a file; nothing where it is none."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(_ENDS)
            file.seek(max(0, size - _ENDS))
            return str(size).encode() + first + file.read()
    except OSError:  # a folder, an address
        return b""

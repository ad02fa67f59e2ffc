"""Decoders in hardware: whether one really works on a file, and what is to be said of that."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

from streamseg.errors import SourceError
from streamseg.sources.container import open_container
from streamseg.sources.pipe import is_pipe
from streamseg.sources.url import without_password

if TYPE_CHECKING:
    from streamseg.options import DecoderName

_KINDS = ("cuda", "videotoolbox", "vaapi")  # as tried: a graphics card before what is built into the processor
_PACKETS = 60  # of a trial; a picture comes out after a few


def choose_decoder(wanted: DecoderName, address: str, track: int | None = None) -> tuple[str | None, str | None]:
    """The hardware that decodes a file, as FFmpeg names it, or None for the CPU; and a note, or None.

    track: see `open_container`.

    Raises:
        SourceError: the file cannot be opened, or the hardware that was named does not decode it.
    """
    if wanted == "cpu":
        return None, None
    if is_pipe(address):  # can be read once, so there is nothing to try on
        if wanted == "auto":
            return None, "decoded on the CPU, as what comes through a pipe cannot be tried first"
        raise SourceError(f"`decoder` is for files, which can be read twice, and '{address}' is a pipe; leave it out")
    open_container(address, track=track)[0].close()  # what is wrong with the file is said of the file
    known = hwdevices_available()
    kinds = [kind for kind in _KINDS if kind in known] if wanted == "auto" else [wanted]
    reasons = []
    for kind in kinds:
        reason = _problem(kind, address, track) if kind in known else "this FFmpeg has no such decoder"
        if reason is None:
            return kind, f"decoded by {kind}" if wanted == "auto" else None
        reasons.append(f"{kind}: {reason}")
    told = "; ".join(reasons) or "this FFmpeg has none"
    if wanted == "auto":
        return None, f"decoded on the CPU, as no hardware does it ({told})"
    raise SourceError(
        f'decoder {told}, so it cannot read \'{without_password(address)}\'; use `decoder="cpu"` or `decoder="auto"`'
    )


def _problem(kind: str, address: str, track: int | None) -> str | None:
    """Why hardware does not decode the first picture; None when it does."""
    try:
        container, stream = open_container(address, HWAccel(kind, allow_software_fallback=False), track=track)
    except (SourceError, RuntimeError) as error:
        cause = error.__cause__ or error
        return getattr(cause, "strerror", None) or " ".join(str(cause).split())
    with container:
        if not stream.codec_context.is_hwaccel:
            return f"it has no decoder for {stream.codec_context.name}"
        stream.thread_count = 1
        try:
            pictures = (frame for packet in islice(container.demux(stream), _PACKETS) for frame in packet.decode())
            return None if next(pictures, None) else "it gave no picture"
        except av.FFmpegError as error:
            return error.strerror or type(error).__name__

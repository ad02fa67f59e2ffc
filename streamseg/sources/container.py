"""Opening a container with FFmpeg's libraries, and saying in one line why when that fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from streamseg.errors import SourceError, UsageError
from streamseg.sources.truncation import has_mp4_index, is_mp4
from streamseg.sources.url import is_url, without_password

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from streamseg.sources.pipe import PipeReader

_NETWORK_TIMEOUT_S = 10.0  # of each call: a file is waited for longer than a live picture, which would be old by then
_PATIENT = {"probesize": str(64 << 20), "analyzeduration": "60000000"}  # bytes, a minute of most cameras; and µs
_NO_VIDEO_FORMATS = ("tty",)  # FFmpeg draws text files as pictures of a terminal


def open_container(
    address: str,
    hardware: HWAccel | None = None,
    pipe: PipeReader | None = None,
    track: int | None = None,
    *,
    patient: bool = False,
) -> tuple[InputContainer, VideoStream]:
    """The container and its video stream: the one that a player would show; cover art is none.

    address: a path, or an http(s) address.
    pipe: where the bytes come from; None is from the address itself.
    hardware: to decode with where it can; None is the CPU.

    Raises:
        SourceError: missing, not readable, empty, cut off, no video, or of a kind that FFmpeg does not know.
    """
    if not (is_url(address) or pipe):
        _check_file(Path(address))
    try:
        timeout = _NETWORK_TIMEOUT_S if is_url(address) else None
        container = av.open(
            pipe or _ffmpeg_name(address),
            "r",
            timeout=timeout,
            hwaccel=hardware,
            options=_PATIENT if patient else {},
            metadata_errors="replace",  # cameras write titles in any encoding, which is no reason to refuse a file
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        if pipe is not None:
            pipe.raise_interrupt()
        raise _explained(address, error) from (None if is_url(address) else error)  # FFmpeg's words show passwords
    try:
        if pipe is not None:
            pipe.raise_interrupt()
        return container, _video_stream(container, address, track)
    except (SourceError, UsageError, KeyboardInterrupt):
        container.close()
        raise


def _ffmpeg_name(address: str) -> str:
    return address if is_url(address) else f"file:{address}"  # a colon in a name would look like a protocol


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"'{path}' is a folder, expected a video file")
    if not path.exists():
        raise SourceError(f"there is no file '{path}'; check the name")
    if not os.access(path, os.R_OK):
        raise SourceError(f"'{path}' cannot be read: permission denied; check its access rights")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"'{path}' is empty (0 bytes); copy or record it again")


def _video_stream(container: InputContainer, address: str, track: int | None) -> VideoStream:
    shown = without_password(address)
    if container.format.name in _NO_VIDEO_FORMATS:
        raise SourceError(f"'{shown}' is a text file, expected a video")
    videos = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    if not videos:
        what = "sound only" if container.streams.audio else "no video"
        raise SourceError(f"'{shown}' holds {what}, expected a video file")
    best = container.streams.best("video")
    stream = best if best in videos else videos[0]
    if track is not None:
        chosen = next((each for each in videos if each.index == track - 1), None)
        if chosen is None:
            there = ", ".join(str(each.index + 1) for each in videos)
            raise UsageError(f"`track` {track} of '{shown}' is no video; its video tracks: {there}")
        stream = chosen
    if stream.codec_context is None:
        raise SourceError(f"'{shown}' is compressed in a way that FFmpeg does not know; convert it to H.264")
    return stream


def _explained(address: str, error: Exception) -> SourceError:
    shown = without_password(address)
    if is_url(address):
        reason = getattr(error, "strerror", None) or type(error).__name__
        return SourceError(f"'{shown}' cannot be opened: {reason}; check the address and the network")
    path = Path(address)
    if isinstance(error, PermissionError):
        return SourceError(f"'{shown}' cannot be read: permission denied; check its access rights")
    if path.is_file() and is_mp4(path) and not has_mp4_index(path):
        return SourceError(
            f"'{shown}' has no index (moov): the recording or copy was cut off; copy it again, or rebuild it "
            "with untrunc and a good clip of the same camera"
        )
    return SourceError(f"'{shown}' is not a video that FFmpeg can read; check that the file is what its name says")

"""Where frames come from: `open_source` chooses by what the address looks like.

| address                                    | source            |
|--------------------------------------------|-------------------|
| synthetic:                                 | SyntheticSource   |
| 0, 1, ... or /dev/video0                   | camera_source     |
| rtsp://, http://, udp://, tcp://, ...      | network_source    |
| http(s):// address of a video file         | VideoFileSource   |
| a folder, a glob, a picture file           | ImageFolderSource |
| any other file                             | VideoFileSource, or OpenCVFileSource with reader="opencv" |

A new kind is one file here and one line in `_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from streamseg.errors import SourceError, UsageError
from streamseg.pixels import Size
from streamseg.sources.base import Source
from streamseg.sources.url import without_password

if TYPE_CHECKING:
    from streamseg.sources.capture_thread import Patience

__all__ = ["DecoderName", "Reader", "Source", "open_source"]

Reader: TypeAlias = Literal["pyav", "opencv"]
DecoderName: TypeAlias = Literal["cpu", "auto", "cuda", "vaapi", "videotoolbox"]

_STREAMS = ("rtsp", "rtsps", "http", "https", "udp", "tcp", "rtp", "srt", "rtmp")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".gif", ".3gp")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the caller asked for, beside the address."""

    reader: Reader
    decoder: DecoderName
    start_s: float
    threads: int | None
    camera_size: Size | None
    camera_fps: float | None
    reconnect: bool
    open_timeout_s: float | None


def open_source(
    address: str,
    *,
    reader: Reader = "pyav",
    decoder: DecoderName = "cpu",
    start_s: float = 0.0,
    duration_s: float | None = None,
    max_frames: int | None = None,
    threads: int | None = None,
    camera_size: Size | None = None,
    camera_fps: float | None = None,
    reconnect: bool = True,
    open_timeout_s: float | None = None,
) -> Source:
    """Open whatever the address names; see the table at the top of this file.

    reader: what reads video files.
    decoder: what decodes them: "cpu", or hardware by its name, with which the reader "pyav" alone can do; "auto" takes
        hardware if it works on the file, and `Source.notes` says what was taken.
    start_s: seconds into a video file or the synthetic scene to begin at.
    duration_s, max_frames: stop after so much; None means to the end.
    threads: for decoding video files; None lets the decoder choose.
    camera_size, camera_fps: (height, width) and frames a second to ask a camera for; None leaves them to it. What it
        grants is in `Source.notes`.
    reconnect: live sources that were lost are opened again, for ever; otherwise a loss is an error.
    open_timeout_s: seconds that a camera or a live stream may take to answer, each time it is opened; None is 10 for
        cameras, and for streams 3 that grow to 10 over failed tries to come back.

    Raises:
        SourceError: there is no such thing, or it cannot be read.
        UsageError: options that the kind of source cannot follow.
    """
    import cv2  # noqa: F401  # before PyAV: see `streamseg.sinks.window.windows_would_hang`

    if start_s < 0:
        raise UsageError(f"the start must be 0 or more seconds, got {start_s:g}")
    opener = next(opener for fits, opener in _KINDS if fits(address))
    if opener is not _open_camera and (camera_size is not None or camera_fps is not None):
        raise UsageError(
            f"--camera-size and --camera-fps are for cameras at this machine; '{without_password(address)}' is none"
        )
    if open_timeout_s is not None:
        _check_open_timeout(open_timeout_s, address, opener)
    if decoder != "cpu" and (opener is not _open_video or reader != "pyav"):
        raise UsageError(f"--decoder is for video files read by PyAV; '{without_password(address)}' is not")
    source = opener(
        address, _Wish(reader, decoder, start_s, threads, camera_size, camera_fps, reconnect, open_timeout_s)
    )
    if duration_s is None and max_frames is None:
        return source
    from streamseg.sources.limited import Limited

    try:
        return Limited(source, duration_s, max_frames)
    except UsageError:
        source.close()
        raise


def _is_synthetic(address: str) -> bool:
    return address.startswith("synthetic:")


def _is_camera(address: str) -> bool:
    return (address.isascii() and address.isdigit() and not _exists(address)) or address.startswith("/dev/video")


def _is_remote_file(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme.lower() in ("http", "https") and PurePosixPath(parts.path).suffix.lower() in _VIDEOS


def _is_stream(address: str) -> bool:
    scheme, separator, _ = address.partition("://")
    return bool(separator) and scheme.lower() in _STREAMS


def _is_pictures(address: str) -> bool:
    if _exists(address):
        return Path(address).is_dir() or Path(address).suffix.lower() in _PICTURES
    return any(sign in address for sign in "*?[")


def _exists(address: str) -> bool:
    try:
        return bool(address) and Path(address).exists()
    except OSError:  # too long for a name, or in a folder that may not be looked into
        return False


def _open_synthetic(address: str, wish: _Wish) -> Source:
    from streamseg.sources.synthetic import SyntheticSource, parse_synthetic

    wanted = parse_synthetic(address)
    if wish.start_s:
        wanted["start_s"] = wish.start_s
    return SyntheticSource(**wanted)


def _open_camera(address: str, wish: _Wish) -> Source:
    from streamseg.sources.camera import camera_source

    _refuse_start(address, wish, "a camera")
    device = int(address) if address.isdigit() else address
    return camera_source(device, wish.camera_size, wish.camera_fps, reconnect=wish.reconnect, patience=_patience(wish))


def _open_stream(address: str, wish: _Wish) -> Source:
    from streamseg.sources.network import network_source

    _refuse_start(address, wish, "a live stream")
    return network_source(address, reconnect=wish.reconnect, patience=_patience(wish))


def _open_pictures(address: str, wish: _Wish) -> Source:
    from streamseg.sources.image_folder import ImageFolderSource

    _refuse_start(address, wish, "a set of pictures")
    return ImageFolderSource(address)


def _open_video(address: str, wish: _Wish) -> Source:
    if not (_is_remote_file(address) or _exists(address)):
        raise _not_found(address)
    if wish.reader == "opencv":
        from streamseg.sources.opencv_file import OpenCVFileSource

        return OpenCVFileSource(address, start_s=wish.start_s, threads=wish.threads)
    from streamseg.sources.video_file import VideoFileSource

    return VideoFileSource(address, start_s=wish.start_s, threads=wish.threads, decoder=wish.decoder)


_KINDS: tuple[tuple[Callable[[str], bool], Callable[[str, _Wish], Source]], ...] = (
    (_is_synthetic, _open_synthetic),
    (_is_camera, _open_camera),
    (_is_remote_file, _open_video),
    (_is_stream, _open_stream),
    (_is_pictures, _open_pictures),
    (lambda _: True, _open_video),
)


def _check_open_timeout(open_timeout_s: float, address: str, opener: Callable[[str, _Wish], Source]) -> None:
    if not 0 < open_timeout_s < float("inf"):
        raise UsageError(f"--open-timeout must be more than 0 seconds, got {open_timeout_s:g}")
    if opener not in (_open_camera, _open_stream):
        raise UsageError(
            f"--open-timeout is for cameras at this machine and live streams; '{without_password(address)}' is neither"
        )


def _patience(wish: _Wish) -> Patience | None:
    """None leaves it to the kind of source."""
    if wish.open_timeout_s is None:
        return None
    from streamseg.sources.capture_thread import Patience

    return Patience(open_s=wish.open_timeout_s, longest_open_s=wish.open_timeout_s)


def _refuse_start(address: str, wish: _Wish, what: str) -> None:
    if wish.start_s:
        raise UsageError(
            f"--start works on video files; '{without_password(address)}' is {what} and begins where it begins"
        )


def _not_found(address: str) -> SourceError:
    """With the name that was probably meant, if a file of nearly that name is in the folder."""
    from difflib import get_close_matches

    path, shown = Path(address), without_password(address)
    try:
        neighbours = [each.name for each in path.parent.iterdir()]
    except OSError:
        neighbours = []
    close = get_close_matches(path.name, neighbours, n=1, cutoff=0.7)
    if close:
        return SourceError(f"there is no file '{shown}'; did you mean '{path.parent / close[0]}'?")
    return SourceError(
        f"there is no file '{shown}'; give a video file, a folder or glob of pictures, a camera number, "
        "an rtsp:// or http:// address, or synthetic:"
    )

"""Where frames come from: `open_source` chooses by what the address looks like.

| address                              | source                                                    |
|--------------------------------------|-----------------------------------------------------------|
| synthetic:                           | SyntheticSource                                           |
| browser:                             | BrowserSource                                             |
| 0, 1, /dev/video0, or a link to it   | camera_source                                             |
| rtsp://, http://, udp://, tcp://, ...| network_source                                            |
| an animated WebP or PNG              | AnimationSource                                           |
| a folder, a glob, a picture file     | ImageFolderSource                                         |
| any other file, here or at http(s):// | VideoFileSource, or OpenCVFileSource with reader="opencv" |
| -, a named pipe, <(a command)        | VideoFileSource, which reads it once                      |

A new kind is one file here and one line in `_KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypedDict, cast
from urllib.parse import urlsplit

from streamseg.errors import SourceError, UsageError
from streamseg.options import SourceOptions
from streamseg.sources.base import Source
from streamseg.sources.pipe import STANDARD_INPUT
from streamseg.sources.suffixes import ANIMATIONS, PICTURES, VIDEOS
from streamseg.sources.url import is_url, refuse_raw_password, without_password

if TYPE_CHECKING:
    from typing import Unpack

    from streamseg.options import DecoderName, Reader
    from streamseg.pixels import Size

__all__ = ["Source", "is_live_address", "open_source"]

_CAMERA_DIGITS = 4  # Linux numbers 64 devices; OpenCV takes a C int, and longer digits are a name of a file
_CAMERAS = "/dev/video"  # followed by a number, on Linux
_ANSWER_S = 3.0  # to a question about the length of a file; as long as a live stream may take
_STREAMS = ("rtsp", "rtsps", "http", "https", "udp", "tcp", "rtp", "srt", "rtmp")


class OptionsByName(TypedDict, total=False):
    """The fields of `SourceOptions`, for type checkers: `open_source` takes each by its name."""

    reader: Reader
    decoder: DecoderName
    start_s: float
    duration_s: float | None
    max_frames: int | None
    threads: int | None
    fps: float | None
    track: int | None
    camera_size: Size | None
    camera_fps: float | None
    reconnect: bool
    open_timeout_s: float | None


def open_source(
    address: str | int | Path, options: SourceOptions | None = None, **by_name: Unpack[OptionsByName]
) -> Source:
    """Open whatever the address names; see the table at the top of this file.

    address: a number is that of a camera.
    options: see `SourceOptions`; None is `SourceOptions()`.
    by_name: single options, in place of those of `options`: `open_source("clip.mp4", start_s=5)`.

    Raises:
        SourceError: there is no such thing, or it cannot be read.
        UsageError: options that the kind of source cannot follow, or that cannot be at all.
    """
    import cv2  # noqa: F401  # before PyAV: see `streamseg.sinks.window.windows_would_hang`

    address = str(address)
    refuse_raw_password(address)
    options = replace(options or SourceOptions(), **by_name)
    kind = next((kind for kind in _KINDS if kind.fits(address, options)), None)
    if kind is None:
        raise _not_found(address)
    if kind.opener.endswith("FileSource") and _is_remote_file(address) and _has_no_length(address, options):
        kind = next(each for each in _KINDS if each.fits is _is_stream)  # live, whatever it is called
    kind.refuse_what_it_cannot_follow(address, options)
    source = kind.open(address, options)
    if options.duration_s is None and options.max_frames is None:
        return source
    from streamseg.sources.limited import Limited

    return Limited(source, options.duration_s, options.max_frames)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of source, a row of the table below.

    name: what messages call it.
    written: what its addresses look like, for whoever gave one that is nothing.
    fits: whether an address is of this kind, with these options.
    opener: "module:name" in this package, loaded when it is needed: a class or function that takes the address and, by
        name, each of `options` but those that are followed here for all kinds.
    options: names of the fields of `SourceOptions` that it can follow.
    """

    name: str
    written: str
    fits: Callable[[str, SourceOptions], bool]
    opener: str
    options: tuple[str, ...]

    def open(self, address: str, options: SourceOptions) -> Source:
        """Raises: as the kind does."""
        module, _, name = self.opener.partition(":")
        opener = getattr(import_module(f"{__name__}.{module}"), name)
        wanted = {each: getattr(options, each) for each in self.options if each not in _FOLLOWED_HERE}
        return cast("Source", opener(address, **wanted))

    def refuse_what_it_cannot_follow(self, address: str, options: SourceOptions) -> None:
        """Raises UsageError for an option that was set and would be passed over."""
        for field in fields(SourceOptions):
            value = getattr(options, field.name)
            if field.name not in self.options and value != field.default:
                given = f"{field.name}={value}" if isinstance(value, bool) else field.name
                able = _listed(kind.name for kind in _KINDS if field.name in kind.options)
                shown = without_password(address)
                raise UsageError(f"`{given}` is for {able}, and '{shown}' is {self.name}; leave it out")


def _is_synthetic(address: str, _: SourceOptions) -> bool:
    return address.startswith("synthetic:")


def _is_browser(address: str, _: SourceOptions) -> bool:
    return address.startswith("browser:")


def _is_camera(address: str, _: SourceOptions) -> bool:
    if address.isascii() and address.isdigit() and len(address) <= _CAMERA_DIGITS:
        return not _exists(address)
    # By whatever name, as /dev/v4l/by-id/..., which stays the same when another camera is plugged in.
    return address.startswith(_CAMERAS) or (_exists(address) and str(Path(address).resolve()).startswith(_CAMERAS))


def _is_stream(address: str, _: SourceOptions) -> bool:
    scheme, separator, _rest = address.partition("://")
    return bool(separator) and scheme.lower() in _STREAMS and not _is_remote_file(address)


def _is_animation(address: str, _: SourceOptions) -> bool:
    if Path(address).suffix.lower() not in ANIMATIONS or not _exists(address):
        return False
    from streamseg.sources.animation import is_animation

    return is_animation(Path(address))


def _is_pictures(address: str, _: SourceOptions) -> bool:
    if _exists(address):
        return Path(address).is_dir() or Path(address).suffix.lower() in PICTURES
    return any(sign in address for sign in "*?[") and not is_url(address)


def _is_video_for_opencv(address: str, options: SourceOptions) -> bool:
    return options.reader == "opencv" and _is_video(address, options)


def _is_video(address: str, _: SourceOptions) -> bool:
    return address == STANDARD_INPUT or _is_remote_file(address) or _exists(address)


def _is_remote_file(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets without an IPv6 address between them
        return False
    return parts.scheme.lower() in ("http", "https") and PurePosixPath(parts.path).suffix.lower() in VIDEOS


def _has_no_length(address: str, options: SourceOptions) -> bool:
    from streamseg.sources.http_answer import is_endless

    return is_endless(address, options.open_timeout_s or _ANSWER_S)


def is_live_address(address: str) -> bool:
    """Whether an address is that of a camera or a stream, by its form alone: nothing is opened."""
    options = SourceOptions()
    return any(fits(address, options) for fits in (_is_browser, _is_camera, _is_stream))


def _exists(address: str) -> bool:
    try:
        return bool(address) and Path(address).exists()
    except OSError:  # too long for a name, or in a folder that may not be looked into
        return False


_LIMITS = ("duration_s", "max_frames")  # by `Limited`, of every source that has a clock
_FOLLOWED_HERE = ("reader", *_LIMITS)  # by choosing the kind, and by what is put around the source
_LIVE = ("reconnect", "open_timeout_s")
_CAMERA = ("camera_size", "camera_fps")

# The first that fits is taken: what has a sign of its own comes before what is known by being a file.
_KINDS: tuple[_Kind, ...] = (
    _Kind("the built-in scene", "synthetic:", _is_synthetic, "synthetic:open_synthetic", ("start_s", *_LIMITS)),
    _Kind("a visitor's camera", "browser:", _is_browser, "browser:open_browser", (*_CAMERA, *_LIMITS)),
    _Kind("a camera", "a camera number", _is_camera, "camera:open_camera", (*_CAMERA, *_LIVE, *_LIMITS)),
    _Kind("a live stream", "an rtsp:// or http:// address", _is_stream, "network:open_network", (*_LIVE, *_LIMITS)),
    _Kind("an animation", "", _is_animation, "animation:AnimationSource", ("start_s", *_LIMITS)),
    _Kind("a set of pictures", "a folder or glob of pictures", _is_pictures, "image_folder:ImageFolderSource",
          ("max_frames",)),
    _Kind("a video file", "", _is_video_for_opencv, "opencv_file:OpenCVFileSource",
          ("reader", "start_s", "threads", *_LIMITS)),
    _Kind("a video file", "a video file", _is_video, "video_file:VideoFileSource",
          ("reader", "start_s", "threads", "decoder", "fps", "track", *_LIMITS)),
)  # fmt: skip


def _listed(names: Iterable[str]) -> str:
    """As people list things."""
    *most, last = dict.fromkeys(names)  # two readers are one kind to whoever has a file
    return f"{', '.join(most)} or {last}" if most else last


_HOST = re.compile(
    r"(?P<user>[^/@\s]+@)?(?P<host>localhost|\d{1,3}(?:\.\d{1,3}){3}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"(?P<port>:\d{1,5})?(?P<path>/\S*)?"
)
"""A place in a network as people write it down; what has neither port nor path may as well be a file."""

_WEB_PORTS = (":80", ":443", ":8000", ":8080", ":8081")  # of pages and of MJPEG from cameras; others speak RTSP


def _meant(address: str) -> str | None:
    """What an address that is nothing was probably meant to be; None where nobody can tell."""
    word = address.lower().rstrip(":")
    if word in ("synthetic", "browser"):
        return f"did you mean '{word}:', with the colon?"
    if word in ("window", "null"):
        return f"'{word}:' is where pictures go; put a SOURCE before it, such as a clip"
    if word in ("camera", "webcam", "cam"):
        return "a camera is asked for by its number, the first is 0"
    found = _HOST.fullmatch(address)
    if found is None:
        return None
    sure = found["port"] or found["user"] or found["host"].replace(".", "").isdigit() or found["host"] == "localhost"
    # Without one of those, a name with a dot is rather a file; a folder's name before the / seldom has a dot.
    if not sure and (not found["path"] or Path(address).suffix.lower() in (*VIDEOS, *PICTURES)):
        return None
    scheme = "http" if found["port"] in _WEB_PORTS else "rtsp"
    return f"an address begins with how to reach it; did you mean '{scheme}://{address}'?"


def _not_found(address: str) -> SourceError:
    """With the name that was probably meant, if a file of nearly that name is in the folder."""
    from difflib import get_close_matches

    path, shown = Path(address), without_password(address)
    try:
        neighbours = [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):  # ValueError: no name of a folder has a null byte in it
        neighbours = []
    close = get_close_matches(path.name, neighbours, n=1, cutoff=0.7)  # two or three letters of ten may differ
    if close:
        return SourceError(f"there is no file '{shown}'; did you mean '{path.parent / close[0]}'?")
    if hint := _meant(address):
        return SourceError(f"there is no file '{shown}'; {without_password(hint)}")
    return SourceError(f"there is no file '{shown}'; give {_listed(kind.written for kind in _KINDS if kind.written)}")

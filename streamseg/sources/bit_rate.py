"""How many bits a second the pictures of a file take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from av.container import InputContainer

if TYPE_CHECKING:
    from av.video.stream import VideoStream


def bit_rate_of(stream: VideoStream) -> int | None:
    """The mean in bits a second, a hint.

    Where only the whole file's is known, as of Matroska and transport streams, it is that, with the sound: a few per
    cent more. None where nothing is.
    """
    container = stream.container
    whole = container.bit_rate if isinstance(container, InputContainer) else 0
    return stream.bit_rate or whole or None  # 0 is what FFmpeg says where it does not know

"""How much a video may take: a quality, a bit rate, or a usual quality at about the bit rate of its source.

Constant quality alone keeps the noise of a source that was itself compressed hard, at several times its bit rate: 6.8
times for a 640x360 recording of 0.04 bits a pixel, where nobody sees a difference. So it has a cap, by which pictures
that are worth it still get what they need for a while.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from streamseg.errors import SinkError, UsageError
from streamseg.sinks.formats import VideoCodec

if TYPE_CHECKING:
    from streamseg.frame import StreamInfo
    from streamseg.pixels import Size

_MORE = 2.0  # times the source: with less, x264's quickest preset shows blocks on roads; docs/output.md has the figures
_BETTER_CODECS = {"hevc": 1.5, "vp9": 1.5, "av1": 2.0, "vvc": 2.0}
"""How many times their bits H.264 needs for the same picture, at the lower end of what is measured."""

_FEW = 0.1  # bits a pixel: with more, quality alone is often below the cap, and nothing is saved that could be spent
_LEAST = 0.05  # bits a pixel: below, blocks are seen whatever the source was
_USUAL_FPS = 30.0  # of sources that do not say
_BUFFER_S = 2.0  # that a hard passage may borrow from easy ones around it
_PEAK = 1.5  # times a bit rate that was asked for, for a passage that needs it


def at_rate(
    codec: VideoCodec, *, crf: int | None, bitrate: int | None, source: StreamInfo, size: Size, path: object
) -> VideoCodec:
    """The codec with settings for a quality, for a bit rate, or for what is usual.

    crf: constant quality in the encoder's own numbers, without a cap; None leaves it to the format.
    bitrate: bits a second, the mean; None goes by quality.
    source: what is compressed anew.
    size: (height, width) of the pictures that are compressed.
    path: of the file, for messages.

    Raises:
        UsageError: both a quality and a bit rate.
        SinkError: the encoder has no such quality.
    """
    if crf is not None and bitrate is not None:
        raise UsageError("`crf` and `bitrate` are two ways to say how large a video becomes; give one of them")
    if bitrate is not None:
        options = dict(codec.options if codec.by_rate is None else codec.by_rate)
        limits = {"maxrate": round(_PEAK * bitrate), "bufsize": round(_BUFFER_S * bitrate)}
        given = {"b": bitrate} | {name: limits[name] for name in codec.cap if name in limits}
        return replace(codec, crf=None, options=options | {name: str(value) for name, value in given.items()})
    if crf is not None:
        if codec.most_crf is None or crf > codec.most_crf:
            span = "no such number" if codec.most_crf is None else f"0 to {codec.most_crf}"
            raise SinkError(f"cannot write '{path}' with `crf` {crf}: {codec.name} takes {span}; use `bitrate`")
        return replace(codec, crf=crf)
    if source.bit_rate is None:
        return codec
    most = _most(source, source.bit_rate, size)
    limits = {"maxrate": most, "bufsize": round(_BUFFER_S * most), "b": most}
    few = most < _FEW * _pixels_a_second(source, size)
    options = dict(codec.options) | (dict(codec.frugal) if few else {})
    return replace(codec, options=options | {name: str(limits[name]) for name in codec.cap})


def _most(source: StreamInfo, bit_rate: int, size: Size) -> int:
    """Bits a second that a video of `size` may take by itself, so that it is about as large as its source."""
    wanted = _MORE * _BETTER_CODECS.get(source.codec or "", 1.0) * bit_rate * prod(size) / prod(source.size)
    return round(max(wanted, _LEAST * _pixels_a_second(source, size)))


def _pixels_a_second(source: StreamInfo, size: Size) -> float:
    return prod(size) * float(source.fps or _USUAL_FPS)

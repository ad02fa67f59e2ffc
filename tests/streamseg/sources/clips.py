"""Real clips for the tests of sources, written with real encoders."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg command on this machine")


@dataclass(frozen=True)
class Clip:
    """What to write. Frame k is grey of luma `luma_of(k)`, unless pictures are given.

    size: (height, width).
    pts: in ticks of `time_base`; None is one a frame at `rate`.
    pictures: (height, width, 3) uint8 BGR.
    sound: mono, of the same length.
    """

    frames: int = 30
    size: tuple[int, int] = (64, 96)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    rate: Fraction = Fraction(25)
    time_base: Fraction | None = None
    pts: Sequence[int] | None = None
    gop: int = 10
    options: dict[str, str] = field(default_factory=dict)
    pictures: Sequence[np.ndarray] | None = None
    sound: str | None = None
    tags: dict[str, int] = field(default_factory=dict)
    rotation: tuple[float, bool, bool] | None = None
    sample_aspect_ratio: Fraction | None = None
    container_options: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Encode and return the path."""
        with av.open(str(path), "w", container_options=self.container_options) as container:
            video = container.add_stream(self.codec, rate=self.rate, options=self.options)
            video.height, video.width = self.size
            video.pix_fmt = self.pix_fmt
            video.gop_size = self.gop
            if self.time_base is not None:
                video.codec_context.time_base = self.time_base
            for name, value in self.tags.items():
                setattr(video.codec_context, name, value)
            if self.sample_aspect_ratio is not None:
                video.codec_context.sample_aspect_ratio = self.sample_aspect_ratio
            if self.rotation is not None:
                degrees, hflip, vflip = self.rotation
                video.set_display_rotation(degrees, hflip=hflip, vflip=vflip)
            audio = container.add_stream(self.sound, rate=48000, layout="mono") if self.sound else None
            for index in range(self.frames):
                frame = self._frame(index)
                frame.time_base = self.time_base or 1 / self.rate
                frame.pts = index if self.pts is None else self.pts[index]
                container.mux(video.encode(frame))
                if audio is not None:
                    self._encode_sound(container, audio, index)
            container.mux(video.encode(None))
            if audio is not None:
                container.mux(audio.encode(None))
        return path

    def _frame(self, index: int) -> av.VideoFrame:
        if self.pictures is not None:
            return av.VideoFrame.from_ndarray(self.pictures[index], format="bgr24").reformat(format=self.pix_fmt)
        return grey_frame(luma_of(index), self.size, self.pix_fmt)

    def _encode_sound(self, container: Any, audio: Any, index: int) -> None:
        start, end = (round(48000 * k / self.rate) for k in (index, index + 1))
        wave = np.sin(np.arange(start, end) / 20).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = 48000, Fraction(1, 48000), start
        for resampled in av.AudioResampler(audio.format, audio.layout, audio.rate).resample(frame):
            container.mux(audio.encode(resampled))


def luma_of(index: int) -> int:
    """The brightness that tells which frame it is, for up to 100 frames."""
    return 20 + 2 * index


def grey_frame(luma: int, size: tuple[int, int], pix_fmt: str = "yuv420p") -> av.VideoFrame:
    """A frame of one luma, video range, in a planar YUV format of 8 or more bits."""
    height, width = size
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (luma, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return frame if pix_fmt == "yuv420p" else frame.reformat(format=pix_fmt)


def luma_values(source: Any) -> list[int]:
    """The rounded mean luma of every frame that is left."""
    return [round(float(frame.planes().y.mean())) for frame in source]


def noise_pictures(frames: int, size: tuple[int, int] = (128, 192)) -> list[np.ndarray]:
    """Pictures that are costly to encode, so that a cut or a flipped byte hits picture data."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, (frames, size[0] // 8, size[1] // 8, 3), dtype=np.uint8)
    return [np.kron(each, np.ones((8, 8, 1), np.uint8)) for each in coarse]

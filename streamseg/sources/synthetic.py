"""`synthetic:`, a procedural driving scene with exact labels: demo, test clip, benchmark input, training set."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from streamseg.errors import UsageError
from streamseg.frame import Frame, StreamInfo
from streamseg.scene.renderer import SyntheticScene
from streamseg.scene.weather import WEATHERS
from streamseg.sources.base import Source

if TYPE_CHECKING:
    from streamseg.pixels import Image

__all__ = ["SyntheticScene", "SyntheticSource", "parse_synthetic"]

_EXAMPLE = "synthetic:1920x1080,fps=60,seed=3,frames=20000,weather=night"
_ACCEPTED = f"accepted are a size WIDTHxHEIGHT, fps, seed, frames and weather, as in {_EXAMPLE}"


class SyntheticSource(Source):
    """Frames of a `SyntheticScene` at a steady rate, as fast as they are asked for."""

    def __init__(
        self,
        height: int = 720,
        width: int = 1280,
        fps: Fraction = Fraction(30),
        seed: int = 0,
        frames: int | None = 300,
        start_s: float = 0.0,
        weather: str | None = None,
    ) -> None:
        """
        height, width: pixels, 64x64 to 2160x3840.
        fps: frames a second. The scene moves with time: frame 2k at 60 is frame k at 30.
        seed: which world, 0 or more.
        frames: how many; None for endless.
        start_s: scene time of the first frame, seconds.
        weather: one of `streamseg.scene.weather.WEATHERS`; None lets the seed choose and time change it.

        Raises:
            UsageError: a size, rate, seed, number or weather that cannot be.
        """
        fps = Fraction(fps)
        if not 0 < fps <= 1000:
            raise UsageError(f"fps of synthetic: must be more than 0 and at most 1000, got {fps}")
        if frames is not None and frames < 1:
            raise UsageError(f"frames of synthetic: must be 1 or more, or None for endless, got {frames}")
        self._scene = SyntheticScene(height, width, seed, weather)
        self._fps, self._frames, self._start_s = fps, frames, start_s
        self._next = 0
        self.info = StreamInfo(
            address=_address(height, width, fps, seed, frames, weather),
            kind="synthetic",
            height=height,
            width=width,
            fps=fps,
            frame_count=frames,
            duration_s=None if frames is None else float(frames / fps),
            time_base=1 / fps,
        )

    def read(self) -> Frame | None:
        """The next frame, or None after the last. `time_s` counts from 0 whatever `start_s` is."""
        if self._frames is not None and self._next >= self._frames:
            return None
        index = self._next
        self._next += 1
        # From the index and not by adding up, so that frame k is the same picture however one got there.
        image, _ = self._scene.render(self._scene_time(index))
        return Frame(index, float(index / self._fps), image, pts=index)

    def labels(self, index: int) -> Image:
        """(height, width) uint8 exact class ids of a frame, read already or not; 255 is none of the classes."""
        return self._scene.render(self._scene_time(index))[1]

    def _scene_time(self, index: int) -> float:
        return self._start_s + float(index / self._fps)


def open_synthetic(address: str, *, start_s: float) -> SyntheticSource:
    """A `SyntheticSource` by an address, see `parse_synthetic`, and options, see `open_source`."""
    return SyntheticSource(**parse_synthetic(address), start_s=start_s)


def parse_synthetic(address: str) -> dict[str, Any]:
    """The arguments for `SyntheticSource` that an address stands for; what it leaves out is left out.

    address: "synthetic:" and, each optional and separated by commas, WIDTHxHEIGHT, fps=30 or 30000/1001, seed=0,
    frames=300 (0 for endless), weather=clear.

    Raises:
        UsageError: something in the address cannot be meant.
    """
    arguments: dict[str, Any] = {}
    for part in filter(None, address.removeprefix("synthetic:").split(",")):
        # Nine digits are more than any side has; Python makes no number of thousands of them.
        if size := re.fullmatch(r"(\d{1,9})[xX×](\d{1,9})", part.strip()):
            arguments["width"], arguments["height"] = int(size[1]), int(size[2])
            continue
        name, equals, value = part.strip().partition("=")
        if not equals or name not in _READERS:
            raise UsageError(f"'{part}' in '{address}' is not understood; {_ACCEPTED}")
        try:
            arguments[name] = _READERS[name](value)
        except (ValueError, ZeroDivisionError) as error:
            raise UsageError(f"{name} in '{address}' must be {_MEANT[name]}, got '{value}'") from error
    return arguments


def _frames(text: str) -> int | None:
    return _count(text) or None


def _count(text: str) -> int:
    if not re.fullmatch(r"\d+", text):
        raise ValueError(text)
    return int(text)


def _rate(text: str) -> Fraction:
    rate = Fraction(text)
    if not 0 < rate <= 1000:
        raise ValueError(text)
    return rate


def _weather(text: str) -> str:
    if text not in WEATHERS:
        raise ValueError(text)
    return text


# A part of an address by its name: what reads its value, and how that is described when it cannot be read.
_READERS = {"fps": _rate, "seed": _count, "frames": _frames, "weather": _weather}
_MEANT = {
    "fps": "a number above 0 and up to 1000, such as 30 or 30000/1001",
    "seed": "a whole number, 0 or more",
    "frames": "a whole number, 0 for endless",
    "weather": ", ".join(WEATHERS),
}


def _address(height: int, width: int, fps: Fraction, seed: int, frames: int | None, weather: str | None) -> str:
    address = f"synthetic:{width}x{height},fps={fps},seed={seed},frames={frames or 0}"
    return address if weather is None else f"{address},weather={weather}"

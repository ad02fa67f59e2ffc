"""Is an overlay video what its source was? Frames, their times, and the sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

_SAME_S = 0.002  # Matroska and AVI keep no finer times
_SOUND_SHORTER_S = 0.1  # than the source's, at most


@dataclass(frozen=True)
class Verdict:
    """What is right in an output; codec as FFmpeg names it."""

    frames: bool
    times: bool
    sound: bool
    codec: str
    megabytes: float


def verdict(source: Path, output: Path) -> Verdict:
    """Compare an overlay video with its source.

    frames: as many can be decoded.
    times: each is shown when it was, to 2 ms, counted from the first.
    sound: there is as much of it; also right where the source has none and the output neither.

    Raises:
        av.FFmpegError: the output cannot be read.
    """
    with av.open(str(source)) as container:
        expected, expected_sound_s = _times(container), _sound_s(source)
    with av.open(str(output)) as container:
        codec = container.streams.video[0].codec_context.name
        times = _times(container)
    sound_s = _sound_s(output)
    return Verdict(
        frames=len(times) == len(expected),
        times=len(times) == len(expected)
        and all(abs(one - other) <= _SAME_S for one, other in zip(times, expected, strict=True)),
        sound=(sound_s is None) == (expected_sound_s is None)
        and (sound_s or 0.0) >= (expected_sound_s or 0.0) - _SOUND_SHORTER_S,
        codec=codec,
        megabytes=output.stat().st_size / 1e6,
    )


def only_video(folder: Path) -> Path | None:
    """The video that a program left in its folder, wherever in it; None where there is none."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".mp4", ".avi", ".mkv", ".webm", ".mov")]
    return found[0] if found else None


def _times(container: InputContainer) -> Sequence[float]:
    """When each frame is shown, seconds from the first."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    times = [frame.time or 0.0 for frame in container.decode(stream)]
    return [time - times[0] for time in times]  # some programs keep the source's start, others begin at 0


def _sound_s(path: Path) -> float | None:
    """How long the sound is; None where there is none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        samples = rate = 0
        for frame in container.decode(container.streams.audio[0]):
            samples, rate = samples + frame.samples, frame.sample_rate
    return samples / rate if rate else 0.0

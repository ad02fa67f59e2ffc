"""Test clips made from the built-in scene, so that whoever has the checkout measures with the same pictures.

    python -m benchmarks.clips 1280x720 --seconds 10

H.264 without B-frames at 0.13 bits a pixel, as dashcams record (8 Mbit/s at 1080p and 30 fps), a key frame a second,
and AAC sound. Drawing takes longer than all that follows, so clips are kept in the user's cache.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from streamseg import open_source
from streamseg.atomic import replacing
from streamseg.cache_folder import cache_folder

FPS = 30
_BITS_PER_PIXEL = 0.13
_EDITION = 1  # of the recipe; clips of other editions are made again
_SAMPLE_RATE = 48_000
_SOUND_FRAME = 1024  # what AAC packs together
SIZES = {360: "640x360", 480: "854x480", 720: "1280x720", 1080: "1920x1080", 1440: "2560x1440", 2160: "3840x2160"}
"""WIDTHxHEIGHT by the height that people call a resolution by."""


def made_clip(size: str = "1280x720", seconds: float = 10.0, folder: Path | None = None) -> Path:
    """A clip of the built-in scene at 30 fps with sound, made if it is not there.

    size: WIDTHxHEIGHT.
    folder: None is the user's cache.
    """
    frames = round(seconds * FPS)
    path = (folder or cache_folder("benchmarks/clips")) / f"scene-{size}-{frames}-frames-{_EDITION}.mp4"
    if not path.is_file():
        print(f"drawing {path.name}, once", flush=True)
        with replacing(path) as partial:
            _record(partial, size, frames)  # a clip that was cut off would be measured with for ever
    return path


def repeated_clip(frames: int, size: str = "640x360", seconds: float = 10.0, folder: Path | None = None) -> Path:
    """The made clip without its sound over and over, until there are so many frames; packets are copied.

    seconds: of the part that is repeated.
    """
    path = (
        folder or cache_folder("benchmarks/clips")
    ) / f"scene-{size}-{round(seconds * FPS)}-to-{frames}-frames-{_EDITION}.mp4"
    if not path.is_file():
        with replacing(path) as partial:
            _repeat(made_clip(size, seconds, folder), partial, frames)
    return path


def _record(path: Path, size: str, frames: int) -> None:
    with open_source(f"synthetic:{size},fps={FPS},frames={frames}") as source, av.open(str(path), "w") as container:
        height, width = source.info.height, source.info.width
        video = container.add_stream("libx264", rate=FPS, options={"preset": "medium", "bf": "0", "g": str(FPS)})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.bit_rate = round(_BITS_PER_PIXEL * width * height * FPS)
        video.codec_context.thread_count = 1  # the same bits however many cores there are
        audio = container.add_stream("aac", rate=_SAMPLE_RATE, layout="mono")
        sound = _sound(frames / FPS)
        for frame in source:
            planes = frame.planes()
            stacked = np.concatenate([layer.ravel() for layer in (planes.y, planes.u, planes.v)])
            picture = VideoFrame.from_ndarray(stacked.reshape(height * 3 // 2, width), format="yuv420p")
            picture.pts, picture.time_base = frame.index, Fraction(1, FPS)
            container.mux(video.encode(picture))
        for start in range(0, len(sound), _SOUND_FRAME):
            piece = av.AudioFrame.from_ndarray(sound[None, start : start + _SOUND_FRAME], format="fltp", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = _SAMPLE_RATE, start, Fraction(1, _SAMPLE_RATE)
            container.mux(audio.encode(piece))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def _sound(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """An engine: a few low tones and some noise, in -1 to 1."""
    times = np.arange(round(seconds * _SAMPLE_RATE)) / _SAMPLE_RATE
    # an idling engine and its overtones
    tones = sum(0.1 * np.sin(2 * np.pi * hertz * times) for hertz in (43, 86, 129, 215))
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(times))
    return (tones + noise).astype(np.float32)


def _repeat(clip: Path, path: Path, frames: int) -> None:
    """Pictures only: where two turns of the sound meet, its packets would overlap."""
    with av.open(str(path), "w") as container:
        for turn in range(-(-frames // _frames_of(clip))):
            with av.open(str(clip)) as source:
                video = source.streams.video[0]
                if turn == 0:
                    target = container.add_stream_from_template(video)
                shift = round(turn * Fraction(video.frames, FPS) / (video.time_base or 1))
                for packet in islice(source.demux(video), min(video.frames, frames - turn * video.frames)):
                    packet.pts, packet.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
                    packet.stream = target
                    container.mux(packet)


def _frames_of(clip: Path) -> int:
    with av.open(str(clip)) as source:
        return source.streams.video[0].frames


def main() -> None:
    """Make clips and say where they are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clips", description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=["1280x720"], metavar="WxH", help="default: 1280x720")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    for size in options.sizes:
        print(made_clip(size, options.seconds))


if __name__ == "__main__":
    main()

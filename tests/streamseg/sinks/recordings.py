"""Runs of frames into sinks, clips with sound to copy from, and what is in a file that was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from streamseg.errors import SourceError
from streamseg.frame import Frame, StreamInfo
from streamseg.painting import Painter
from streamseg.pixels import Yuv420, YuvColor
from streamseg.segmentation import Segmentation
from streamseg.sinks import VideoFileSink
from streamseg.sinks.base import Outcome, Sink
from streamseg.sources.video_file import VideoFileSource
from streamseg.spec import SegmentClass

CLASSES = (SegmentClass(0, "road", (128, 64, 128)), SegmentClass(1, "sky", (70, 130, 180)))
VIDEO = YuvColor()


def info_of(size: tuple[int, int] = (48, 64), **fields: object) -> StreamInfo:
    """A video of `size` at 25 fps, in 1/25 s, unless said otherwise."""
    known: dict[str, object] = {"fps": Fraction(25), "time_base": Fraction(1, 25), "color": VIDEO}
    return StreamInfo("clip.mp4", "video", *size, **{**known, **fields})  # type: ignore[arg-type]


def unpainted() -> Painter:
    """A painter that changes nothing."""
    return Painter(CLASSES, alpha=0, legend=False)


def result(
    index: int = 0,
    pts: int | None = None,
    *,
    size: tuple[int, int] = (48, 64),
    pixels: np.ndarray | Yuv420 | None = None,
    time_s: float | None = None,
    name: str | None = None,
) -> Segmentation:
    """A frame of noise (or of `pixels`) with half road, half sky."""
    picture = noise(index, size) if pixels is None else pixels
    frame = Frame(index, index / 25 if time_s is None else time_s, picture, pts=pts, name=name)
    labels = np.zeros((12, 16), np.uint8)
    labels[:6] = 1
    return Segmentation(frame, labels, CLASSES)


def noise(seed: int, size: tuple[int, int] = (48, 64), color: YuvColor = VIDEO) -> Yuv420:
    """Planes of coarse noise, costly to encode and different for every seed."""
    height, width = size
    random = np.random.default_rng(seed)
    half = -(-height // 2), -(-width // 2)
    layers = [random.integers(30, 220, shape, dtype=np.uint8) for shape in (size, half, half)]
    return Yuv420(*layers, color)


def record(sink: Sink, ticks: Iterable[int], outcome: Outcome = "complete", size: tuple[int, int] = (48, 64)) -> None:
    """Write a frame for each of `ticks` and close."""
    for index, pts in enumerate(ticks):
        sink.write(result(index, pts, size=size))
    sink.close(outcome)


@dataclass(frozen=True)
class Stored:
    """A packet of a file. begin_s, length_s: exact seconds."""

    begin_s: Fraction
    length_s: Fraction
    content: bytes


def stored(path: Path, kind: str = "video", index: int = 0) -> list[Stored]:
    """The packets of one stream in the order they are presented."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[index]
        packets = [
            Stored(packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]
    return sorted(packets, key=lambda packet: packet.begin_s)


def begins(path: Path) -> list[Fraction]:
    """When each picture of a file is shown, exact seconds."""
    return [packet.begin_s for packet in stored(path)]


def pictures(path: Path) -> list[np.ndarray]:
    """All pictures of a file, (height, width, 3) uint8 BGR, as FFmpeg converts them by the file's own colour tags."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def clip_with_sound(
    path: Path,
    codecs: Sequence[str] = ("aac",),
    *,
    seconds: float = 3.0,
    languages: Sequence[str] = (),
    rate: int = 48_000,
) -> Path:
    """Write a small video with one audio track of each codec: a second of silence, then a loud tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = [container.add_stream(codec, rate=rate, layout="stereo") for codec in codecs]
        for track, language in zip(tracks, languages, strict=False):
            track.metadata["language"] = language
        for index in range(round(25 * seconds)):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 3 * index % 256, np.uint8), format="bgr24")
            container.mux(video.encode(picture))
            for track in tracks:
                container.mux(track.encode(_tone(index * rate // 25, rate // 25, rate)))
        for stream in (video, *tracks):
            container.mux(stream.encode(None))
    return path


def _tone(start: int, samples: int, rate: int) -> av.AudioFrame:
    times = np.arange(start, start + samples)
    wave = np.where(times < rate, 0, 0.8 * np.sin(times * (2 * np.pi * 1000 / rate))).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame


def tone_begins_s(path: Path) -> float:
    """When the tone of `clip_with_sound` is first heard, seconds, by decoding the sound."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()
            loud = np.abs(samples.astype(np.float64)).max(axis=0) > 0.3 * (32767 if samples.dtype == np.int16 else 1)
            if loud.any():
                per_channel = frame.samples / loud.size  # packed formats have the channels side by side
                return float(frame.time) + float(np.argmax(loud)) * per_channel / frame.sample_rate
    raise AssertionError("no tone in the file")


def record_with_sound(
    clip: Path,
    path: Path,
    ticks: Iterable[int],
    outcome: Outcome = "complete",
    *,
    start_s: float = 0.0,
    size: tuple[int, int] = (48, 64),
    **fields: object,
) -> VideoFileSink:
    """Write a frame for each of `ticks`, beside the sound of a clip, as much as can be read of it."""
    with VideoFileSource(clip, start_s=start_s) as source:
        info = info_of(size, start_s=start_s, tracks=source.info.tracks, **fields)
        sink = VideoFileSink(path, info, unpainted())
        with suppress(SourceError):
            for _ in source:
                continue
        record(sink, ticks, outcome, size)
    return sink

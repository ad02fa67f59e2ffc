"""What do settings of x264 cost, and what do they give?

    python -m benchmarks.encoders
    python -m benchmarks.encoders clip.mp4

The overlay that streamseg paints on the clip, kept without loss, is compressed with each setting on one thread. Printed
are processor time and size of a frame, and the PSNR of the luma over all frames. All else is as streamseg sets it:
crf 23, no B-frames.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from benchmarks.clips import made_clip
from benchmarks.limit import decoded, encoder_for, lossless_overlay
from benchmarks.results import table
from streamseg.sinks.formats import format_of

_CODEC = format_of(Path("overlay.mp4")).video

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "streamseg's": _CODEC.options,
    "ultrafast": {"preset": "ultrafast"},
    "ultrafast, CABAC": {"preset": "ultrafast", "x264-params": "cabac=1"},
    "ultrafast, deblocking": {"preset": "ultrafast", "x264-params": "deblock=1"},
    "ultrafast, subme 1": {"preset": "ultrafast", "x264-params": "subme=1"},
    "ultrafast, CABAC, 8x8": {"preset": "ultrafast", "x264-params": "cabac=1:8x8dct=1"},
    "superfast": {"preset": "superfast"},
    "superfast, no AQ": {"preset": "superfast", "x264-params": "aq-mode=0"},
    "superfast, no partitions": {"preset": "superfast", "x264-params": "partitions=none"},
    "veryfast": {"preset": "veryfast"},
}


def compressed(pictures: Sequence[VideoFrame], options: Mapping[str, str]) -> tuple[float, float, float]:
    """Milliseconds of processor time and kilobytes a frame, and PSNR of the luma in dB."""
    encoder = encoder_for(pictures[0], replace(_CODEC, options={"bf": "0", **options}))
    start_s = time.process_time()
    packets = [packet for picture in (*pictures, None) for packet in encoder.encode(picture)]
    cpu_s = time.process_time() - start_s
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = encoder.extradata  # the headers are there only, as in MP4
    # the quality that a person sees is that of the decoded picture
    back = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    errors = [np.mean((_luma(ours) - _luma(theirs)) ** 2) for ours, theirs in zip(back, pictures, strict=True)]
    size = sum(packet.size for packet in packets)
    count = len(pictures)
    return 1000 * cpu_s / count, size / count / 1000, 10 * math.log10(255**2 / float(np.mean(errors)))


def _luma(picture: VideoFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width].astype(np.float32)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", help="a video file; default: 10 s of the built-in scene, 1280x720")
    parser.add_argument("--frames", type=int, default=90)
    options = parser.parse_args()
    clip = options.clip or str(made_clip())
    with tempfile.TemporaryDirectory(prefix="streamseg-encoders-") as folder:
        overlay = Path(folder) / "lossless.mkv"
        lossless_overlay(clip, overlay, {}, options.frames)
        pictures = list(decoded(str(overlay)))
    print(f"{Path(clip).name}, {pictures[0].width}x{pictures[0].height}, {len(pictures)} frames")
    rows = []
    for name, settings in SETTINGS.items():
        milliseconds, kilobytes, decibels = compressed(pictures, settings)
        rows.append([name, f"{milliseconds:.2f}", f"{kilobytes:.1f}", f"{decibels:.2f}"])
    print(table(["x264", "CPU ms", "kB", "dB"], rows))


if __name__ == "__main__":
    main()

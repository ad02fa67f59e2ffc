#!/bin/bash
# Guess: the average rate of a raw H.264 stream is the one in its own timing fields (VUI), since nothing else tells it.
# Seen:  PyAV's `average_rate` is 25 for every raw stream, whatever rate it was encoded at: it is the demuxer's default.
#        `guessed_rate` has the stream's own. A player that trusts the first shows a 50 fps recording at half its speed.
# With:  av 18.1.0 (its own FFmpeg and x264).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install av==18.1.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

for rate in (Fraction(10), Fraction(24), Fraction(30000, 1001), Fraction(50)):
    with av.open("raw.h264", "w", format="h264") as output:
        stream = output.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            grey = np.full((48, 64, 3), 20 * number, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        output.mux(stream.encode())
    with av.open("raw.h264") as source:
        video = source.streams.video[0]
        print(f"encoded at {rate}: average_rate {video.average_rate}, guessed_rate {video.guessed_rate}")
        assert video.average_rate == 25, "average_rate tells something now"
        assert video.guessed_rate == rate, "guessed_rate no longer tells the stream's own rate"
PYTHON

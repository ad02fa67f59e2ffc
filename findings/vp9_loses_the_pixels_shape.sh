#!/bin/bash
# Guess: an encoder that is told its pixels are wider than high passes that on to the file, whatever the codec.
# Seen:  with PyAV an H.264 file keeps it, MP4 and Matroska alike, since x264 writes it into the bitstream. VP9 has no such
#        field and nothing tells the container: WebM and Matroska files come out with square pixels, without a word. The
#        same film is 4:3 in one and 16:9 in the other.
# With:  av 18.1.0 (its own FFmpeg, x264 and libvpx).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install av==18.1.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

WIDE = Fraction(4, 3)
for name, codec, kept in (
    ("wide.mp4", "libx264", True),
    ("wide.mkv", "libx264", True),
    ("vp9.mkv", "libvpx-vp9", False),
    ("vp9.webm", "libvpx-vp9", False),
):
    with av.open(name, "w") as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = WIDE
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24")))
        output.mux(stream.encode())
    with av.open(name) as source:
        ratio = source.streams.video[0].sample_aspect_ratio
    print(f"{name}: {codec}, sample aspect ratio {ratio}")
    assert (ratio == WIDE) == kept, f"{name} tells another aspect ratio now"
PYTHON

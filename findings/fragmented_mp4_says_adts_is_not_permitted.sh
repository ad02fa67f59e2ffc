#!/bin/bash
# Guess: AAC that is copied from a transport stream goes into MP4 in the same way, fragmented or not: FFmpeg's muxer takes the
#        header off each packet (aac_adtstoasc) by itself.
# Seen:  only for an ordinary file. One whose index is written first (empty_moov) refuses the first packet, with an error that
#        says "Operation not permitted" and nothing of headers, as if the file could not be written.
# With:  PyAV 18.1.0, whose package brings FFmpeg's libavformat 62.12.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install av==18.1.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

print("libavformat", ".".join(map(str, av.library_versions["libavformat"])))
with av.open("tone.ts", "w") as container:
    stream = container.add_stream("aac", rate=48000)
    tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
    frame.rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    for packet in [*stream.encode(frame), *stream.encode(None)]:
        container.mux(packet)


def copied(name, options):
    with av.open("tone.ts") as source, av.open(name, "w", container_options=options) as target:
        sound = source.streams.audio[0]
        copy = target.add_stream_from_template(sound)
        count = 0
        for packet in source.demux(sound):
            if packet.dts is not None:
                packet.stream = copy
                try:
                    target.mux(packet)
                except av.FFmpegError as error:
                    return f"{type(error).__name__} ({error.strerror}) after {count} packets"
                count += 1
    return f"{count} packets"


ordinary, fragmented = copied("ordinary.mp4", {}), copied("fragmented.mp4", {"movflags": "+frag_keyframe+empty_moov"})
print(f"ordinary: {ordinary}; fragmented: {fragmented}")
assert ordinary.endswith("packets") and int(ordinary.split()[0]) > 40, "the ordinary file no longer takes the sound"
assert fragmented == "PermissionError (Operation not permitted) after 0 packets", "fragmented files do otherwise now"
PYTHON

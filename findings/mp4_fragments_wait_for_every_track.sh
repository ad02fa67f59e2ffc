#!/bin/bash
# Guess: An MP4 that is written in fragments of 0.3 s grows by a fragment each 0.3 s of film, whatever its other tracks do.
# Seen:  with delay_moov FFmpeg writes nothing but the file's first box until every declared track has had a packet: after 4 s
#        of pictures, 0 fragments are in the file while its sound track is empty, and 13 once the sound began. A recorder whose
#        microphone is off, or late, keeps all its pictures in memory, and a kill loses them.
# With:  PyAV 18.1.0, whose package brings FFmpeg's libavformat 62.12.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install av==18.1.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

print("libavformat", ".".join(map(str, av.library_versions["libavformat"])))


def fragments_after_four_seconds(*, sound_begins):
    path = Path(f"{'with' if sound_begins else 'without'}.mp4")
    options = {"movflags": "+frag_keyframe+delay_moov", "frag_duration": "300000", "flush_packets": "1"}
    container = av.open(str(path), "w", container_options=options)
    video = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "tune": "zerolatency"})
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    sound = container.add_stream("aac", rate=48000)
    if sound_begins:
        silence = av.AudioFrame.from_ndarray(np.zeros((2, 5 * 48000), np.float32), "fltp", "stereo")
        silence.rate, silence.pts, silence.time_base = 48000, 0, Fraction(1, 48000)
        for packet in [*sound.encode(silence), *sound.encode(None)]:
            container.mux(packet)
    for number in range(120):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), "bgr24")
        picture.pts, picture.time_base = number, Fraction(1, 30)
        for packet in video.encode(picture):
            container.mux(packet)
    found = path.read_bytes().count(b"moof")  # while the file is still open, as a kill would leave it
    container.close()
    return found


without, beside = fragments_after_four_seconds(sound_begins=False), fragments_after_four_seconds(sound_begins=True)
print(f"fragments in the file after 4 s: {without} with an empty sound track, {beside} with one that has begun")
assert without == 0, "fragments no longer wait for a track that has not begun"
assert beside >= 8, "fragments are no longer written each 0.3 s"
PYTHON

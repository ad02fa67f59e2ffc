#!/bin/bash
# Guess: An MP4 that is written with free keys (movflags use_metadata_tags) can have a cover picture like any other.
# Seen:  the cover is silently not in the file. iTunes' list of tags, which covers stand in, is written only without that flag,
#        and free keys (a camera's make, model, firmware) only with it: a file has the one or the other.
# With:  PyAV 18.1.0, whose package brings FFmpeg's libavformat 62.12.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install av==18.1.0 numpy==2.4.6 opencv-python-headless==5.0.0.93
env/bin/python - <<'PYTHON'
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import Disposition

print("libavformat", ".".join(map(str, av.library_versions["libavformat"])))
Path("cover.png").write_bytes(cv2.imencode(".png", np.full((48, 64, 3), 200, np.uint8))[1].tobytes())


def kept(name, options):
    with av.open("cover.png") as picture, av.open(name, "w", container_options=options) as container:
        container.metadata["firmware"] = "1.2"
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        cover = container.add_stream_from_template(picture.streams.video[0])
        cover.disposition = Disposition.attached_pic
        for packet in picture.demux():
            if packet.size:
                packet.stream, packet.pts, packet.dts = cover, 0, 0
                container.mux(packet)
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "bgr24")
        frame.pts, frame.time_base = 0, Fraction(1, 30)
        for packet in [*video.encode(frame), *video.encode(None)]:
            container.mux(packet)
    with av.open(name) as made:
        covers = [each for each in made.streams.video if each.disposition & Disposition.attached_pic]
        return "firmware" in made.metadata, bool(covers)


usual, keys = kept("usual.mp4", {}), kept("keys.mp4", {"movflags": "+use_metadata_tags"})
print(f"free key and cover: {usual} as usual, {keys} with use_metadata_tags")
assert usual == (False, True), "as usual, free keys are written, or the cover is not"
assert keys == (True, False), "with free keys, the cover is written now, or they are not"
PYTHON

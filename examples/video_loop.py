"""Go through a video frame by frame, in a loop of one's own, and write some frames as pictures.

    python examples/video_loop.py my_clip.mp4

For a whole overlay video, `streamseg run` and `Pipeline` are faster: they decode, segment and encode side by side.
"""

import sys

import cv2

from streamseg import Segmenter, load_backend, open_source

EVERY = 25  # frames: about a picture a second


def main(address: str) -> None:
    """Write 000000.jpg, 000025.jpg, ... into this folder."""
    segment = Segmenter(load_backend())
    with open_source(address) as source:
        for frame in source:
            if frame.index % EVERY:
                continue  # decoded, as those after it need it, but not segmented
            name = f"{frame.index:06}.jpg"
            cv2.imwrite(name, segment(frame).overlay(view="side"))
            print(f"{frame.time_s:7.2f} s -> {name}")


if __name__ == "__main__":
    main(sys.argv[1])

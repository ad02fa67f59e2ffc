"""Segment the pictures of a folder: a mask of class ids for each, at the picture's own size.

python examples/folder.py pictures masks
"""

import sys
from pathlib import Path

import cv2

from streamseg import Segmenter, load_backend, open_source


def main(pictures: str, masks: Path) -> None:
    """Write MASKS/NAME.png, 8 bits, one channel."""
    masks.mkdir(exist_ok=True)
    segment = Segmenter(load_backend())
    with open_source(pictures) as source:
        for frame in source:
            labels = segment(frame).labels_at()
            cv2.imwrite(str(masks / f"{frame.name}.png"), labels)
            print(frame.name, f"{labels.shape[1]}x{labels.shape[0]}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

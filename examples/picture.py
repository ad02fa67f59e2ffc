"""Segment one picture: what is in it, and the picture with colours beside it.

python examples/picture.py street.png
"""

import sys
from pathlib import Path

import cv2

from streamseg import Segmenter, load_backend


def main(path: Path) -> None:
    """Print the share of each class, and write NAME_overlay.png."""
    segment = Segmenter(load_backend())
    result = segment(path)
    for each, share in zip(result.classes, result.shares, strict=True):
        if share > 0.01:  # what covers less than a hundredth is hard to see
            print(f"{each.name:<12}{share:6.1%}")
    target = path.with_name(f"{path.stem}_overlay.png")
    cv2.imwrite(str(target), result.overlay(alpha=0.5))
    print("->", target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

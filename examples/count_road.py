"""How much road a drive shows: mean share over the frames, and the frame with most of it.

python examples/count_road.py my_clip.mp4
"""

import sys

import numpy as np

from streamseg import Segmenter, load_backend, open_source


def main(address: str) -> None:
    """Print two lines."""
    backend = load_backend()
    road = next(each.id for each in backend.spec.classes if each.name == "road")
    shares: list[float] = []
    times_s: list[float] = []

    with open_source(address) as source:
        segment = Segmenter(backend)
        for frame in source:
            result = segment(frame)
            shares.append(float(result.shares[road]))
            times_s.append(frame.time_s)

    print(f"{len(shares)} frames, road on {np.mean(shares):.1%} of the picture")
    print(f"most of it at {times_s[int(np.argmax(shares))]:.2f} s: {max(shares):.1%}")


if __name__ == "__main__":
    main(sys.argv[1])

"""A stage of one's own between network and sinks: of the road, only the largest piece is kept.

python examples/own_stage.py my_clip.mp4 one_road.mp4
"""

import sys
from dataclasses import replace

import cv2
import numpy as np

from streamseg import Painter, Pipeline, Segmentation, Segmenter, load_backend, open_sink, open_source
from streamseg.spec import NOTHING  # an id that no class has: not painted, and counted for no class


def keep_largest_road(result: Segmentation) -> Segmentation:
    """A stage is any function from a Segmentation to one. What it was given is never changed: it copies."""
    road = result.mask("road", result.labels.shape).astype(np.uint8)
    count, pieces, facts, _ = cv2.connectedComponentsWithStats(road)
    if count <= 2:  # piece 0 is all that is not road
        return result
    largest = 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())
    labels = result.labels.copy()
    labels[(road > 0) & (pieces != largest)] = NOTHING
    return replace(result, labels=labels)


def main(address: str, target: str) -> None:
    """Write an overlay video."""
    source = open_source(address)
    backend = load_backend()
    painter = Painter(backend.spec.classes, selected=["road"])
    sink = open_sink(target, source.info, painter)
    report = Pipeline(source, Segmenter(backend), [sink], stages=[keep_largest_road]).run()
    print(report.frames_out, "frames ->", target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

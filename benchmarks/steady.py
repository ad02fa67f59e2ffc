"""How good steady labels are: on the exact labels of the built-in scene, in three weathers.

    python -m benchmarks.steady --frames 40

Prints the mean IoU of the network by itself and of what `streamseg run` makes of its labels, for files (a look ahead)
and live (the past alone), on every frame and on a part of them; and how much of the picture keeps its class along the
motion, from frame to frame (`flow.TemporalConsistency`). Exact labels are the reference for that.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamseg import Segmentation, Segmenter, load_backend
from streamseg.flow import TemporalConsistency, labels_at, luma_at
from streamseg.options import USUAL_STEADY
from streamseg.sources.synthetic import SyntheticSource
from streamseg.stages import DelayingStage
from streamseg.steady import Steady

SCENES = (("clear", 1), ("night", 2), ("rain", 3))
"""Weather and seed: each another town."""

_SIZE = (360, 640)  # (height, width): more than the network sees, and drawn in a quarter of the time of 720p
_CLASSES = 256  # ids of a byte: those that nothing has are left out in the end


@dataclass(frozen=True)
class Scene:
    """name: of the weather. results: the network's. exact: of each frame (height, width) uint8, at their size."""

    name: str
    results: list[Segmentation]
    exact: list[NDArray[np.uint8]]


def drawn(weather: str, seed: int, frames: int, segment: Segmenter) -> Scene:
    """A scene, and what the network makes of it."""
    source = SyntheticSource(*_SIZE, seed=seed, frames=frames, weather=weather)
    results = [segment(frame) for frame in source]
    exact = [labels_at(source.labels(index), results[0].labels.shape) for index in range(frames)]
    return Scene(weather, results, exact)


def shown(results: Sequence[Segmentation], every: int, stage: DelayingStage | None) -> Iterator[Segmentation]:
    """What comes out of a run. every: the network ran on the first of so many frames."""
    # the very arrays again, as the pipeline hands them on between two runs of the network
    came = (replace(each, labels=results[index - index % every].labels) for index, each in enumerate(results))
    if stage is None:
        yield from came
        return
    for each in came:
        yield from stage.add(each)
    yield from stage.end()


def mean_iou(labels: Iterable[NDArray[np.uint8]], exact: Iterable[NDArray[np.uint8]]) -> float:
    """Over the classes that occur in the exact labels, 0..1; 255 there is not counted."""
    counts = np.zeros((_CLASSES, _CLASSES), np.int64)
    for ours, true in zip(labels, exact, strict=True):
        counted = true != _CLASSES - 1
        both = true[counted].astype(np.int64) * _CLASSES + ours[counted]
        counts += np.bincount(both, minlength=counts.size).reshape(counts.shape)
    there = counts.sum(1) > 0
    common = counts.diagonal()
    return float((common / np.maximum(1, counts.sum(0) + counts.sum(1) - common))[there].mean())


def steadiness(scene: Scene, labels: Iterable[NDArray[np.uint8]]) -> float:
    """`TemporalConsistency` along a scene, 0..1."""
    measure = TemporalConsistency()
    for result, each in zip(scene.results, labels, strict=True):
        measure.add(luma_at(result.frame), each)
    return measure.share


def main() -> None:
    """See the head of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40, help="of each scene; default: 40")
    parser.add_argument("--every", type=int, nargs="+", default=[1, 2, 3, 5], help="on which frames the network runs")
    parser.add_argument("--steady", type=int, nargs="+", default=[USUAL_STEADY], help="over how many frames a side")
    wanted = parser.parse_args()
    segment = Segmenter(load_backend())
    scenes = [drawn(weather, seed, wanted.frames, segment) for weather, seed in SCENES]
    print(f"{'mIoU (consistency)':<34}" + "".join(f"{scene.name:>18}" for scene in scenes) + f"{'mean':>9}{'gain':>9}")
    _print_row("exact labels", scenes, [scene.exact for scene in scenes], None)
    bare = None
    for every in wanted.every:
        ways: list[tuple[str, list[DelayingStage | None]]] = [("repeated" if every > 1 else "by itself", [None] * 3)]
        for frames in wanted.steady:
            reach = max(frames, every)
            ways.append((f"steady {reach}", [Steady(reach) for _ in scenes]))
            ways.append((f"steady {reach}, live", [Steady(reach, ahead=0) for _ in scenes]))
        for name, stages in ways:
            made = [
                [each.labels for each in shown(scene.results, every, stage)]
                for scene, stage in zip(scenes, stages, strict=True)
            ]
            mean = _print_row(f"network on every {every}, {name}", scenes, made, bare)
            bare = mean if bare is None else bare


def _print_row(
    name: str, scenes: Sequence[Scene], made: Sequence[list[NDArray[np.uint8]]], bare: float | None
) -> float:
    """bare: the mean to compare with. Returns: the mean of all scenes."""
    each = [mean_iou(labels, scene.exact) for scene, labels in zip(scenes, made, strict=True)]
    steady = [steadiness(scene, labels) for scene, labels in zip(scenes, made, strict=True)]
    mean = float(np.mean(each))
    cells = "".join(f"{iou:>9.4f} ({share:.4f})" for iou, share in zip(each, steady, strict=True))
    gain = "" if bare is None else f"{100 * (mean - bare):>+9.2f}"
    print(f"{name:<34}{cells}{mean:>9.4f}{gain}", flush=True)
    return mean


if __name__ == "__main__":
    main()

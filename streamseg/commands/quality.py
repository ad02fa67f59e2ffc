"""What the network on a part of the frames, and labels that move, cost in quality: for `streamseg bench --quality`.

On the built-in scene labels are compared with its exact ones; on other pictures with what the network says of each
frame by itself, so that figures there tell agreement and not how right it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from streamseg.commands.pace import Pace, pace_of
from streamseg.flow import FLOW_SIZE, Motion, OpticalFlow, TemporalConsistency, labels_at, luma_at
from streamseg.segmentation import Segmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.frame import Frame
    from streamseg.pixels import Image
    from streamseg.spec import SegmentClass

_IDS = 256  # of a byte: those that nothing has are left out in the end
_NONE = 255  # the id that no class has


@dataclass(frozen=True)
class Setting:
    """What a run was asked for. name: for people; the others as of `pace_of`."""

    name: str
    every: int = 1
    steady: int | None = None
    chosen: bool = False
    live: bool = False

    def pace(self) -> Pace:
        """For one run."""
        return pace_of(self.every, self.steady, chosen=self.chosen, live=self.live)


SETTINGS = (
    Setting("every frame by itself", steady=0),
    Setting("every 1, steady 2", steady=2),
    *(Setting(f"every {every}", every) for every in (2, 3, 5)),
    Setting("every auto", chosen=True),
)
"""Those that `bench --quality` compares."""


@dataclass
class Quality:
    """How good the labels of one setting are.

    counts: (256, 256) int64 pixels, by the class they should have and the one they have.
    consistency: of the labels along a motion that is found once for all settings.
    frames, runs: how many there were, and on how many the network ran.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((_IDS, _IDS), np.int64))
    consistency: TemporalConsistency = field(default_factory=TemporalConsistency)
    frames: int = 0
    runs: int = 0

    def add(self, labels: Image, wanted: Image) -> None:
        """One more frame; pixels are left out where no class is wanted."""
        counted = wanted != _NONE
        both = wanted[counted].astype(np.int64) * _IDS + labels[counted]
        self.counts += np.bincount(both, minlength=self.counts.size).reshape(self.counts.shape)

    @property
    def ious(self) -> NDArray[np.float64]:
        """(256,) float64, 0..1; NaN for classes that never are wanted."""
        common, wanted = self.counts.diagonal(), self.counts.sum(1)
        whole = np.where(wanted > 0, self.counts.sum(0) + wanted - common, 1)
        return np.where(wanted > 0, common / whole, np.nan)

    def to_dict(self, classes: Sequence[SegmentClass]) -> dict[str, Any]:
        """Plain values for JSON, shares 0 to 1; road_iou is None where no class is called so, or none was there."""
        road = next((each.id for each in classes if each.name.casefold() == "road"), None)
        road_iou = np.nan if road is None else self.ious[road]
        return {
            "network_share": round(self.runs / max(1, self.frames), 4),
            "miou": round(float(np.nanmean(self.ious)), 4) if self.counts.any() else None,
            "road_iou": None if np.isnan(road_iou) else round(float(road_iou), 4),
            "consistency": round(self.consistency.share, 4) if self.consistency.compared else None,
        }


_Wanted: TypeAlias = "Callable[[Frame], Image] | None"


class Comparison:
    """Several settings on the same frames, on each of which the network runs once for all."""

    def __init__(self, settings: Sequence[Setting], wanted: _Wanted = None) -> None:
        """wanted: (h, w) uint8 labels that a frame should have, of any size; None is what the network says of it."""
        self.qualities = {setting: Quality() for setting in settings}
        self._runs = {setting: _Run(setting, self.qualities[setting]) for setting in settings}
        self._wanted = wanted
        self._flow = OpticalFlow()
        self._known: dict[int, tuple[Image, Image, Motion | None]] = {}  # of frames on their way, by place in the order
        self._before: Image | None = None
        self._number = 0

    def add(self, result: Segmentation) -> None:
        """One more frame, and what the network says of it."""
        luma = luma_at(result.frame, FLOW_SIZE)
        motion = None if self._before is None else self._flow.between(self._before, luma)
        wanted = result.labels if self._wanted is None else labels_at(self._wanted(result.frame), result.labels.shape)
        self._known[self._number], self._before = (wanted, luma, motion), luma
        self._number += 1
        self._score((run, run.add(result)) for run in self._runs.values())

    def end(self) -> None:
        """No more come."""
        self._score((run, run.end()) for run in self._runs.values())

    def _score(self, came: Iterable[tuple[_Run, Iterable[Image]]]) -> None:
        for run, labels in came:
            quality = run.quality
            for each in labels:
                wanted, luma, motion = self._known[quality.frames]
                quality.add(each, wanted)
                quality.consistency.add(luma, each, motion)
                quality.frames += 1
        done = min(quality.frames for quality in self.qualities.values())
        for number in [number for number in self._known if number < done]:
            del self._known[number]


class _Run:
    """What a pipeline would do with the network's labels at one setting."""

    def __init__(self, setting: Setting, quality: Quality) -> None:
        self.quality = quality
        self._pace = setting.pace()
        self._number = 0
        self._labels: Image | None = None

    def add(self, result: Segmentation) -> Iterator[Image]:
        every = self._pace.every
        due = every(result.frame) if callable(every) else self._number % every == 0
        self._number += 1
        if due or self._labels is None:
            self._labels = result.labels
            self.quality.runs += 1
        # The very array again is how the stage knows that the network did not run.
        result = replace(result, labels=self._labels)
        if self._pace.steady is None:
            yield result.labels
            return
        for each in self._pace.steady.add(result):
            yield each.labels

    def end(self) -> Iterator[Image]:
        for each in self._pace.steady.end() if self._pace.steady else ():
            yield each.labels

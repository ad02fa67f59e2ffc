"""Batches for training, made in background threads. Batch k depends on the seed and k only, so training resumes
exactly and each of several workers can make its own part; at most a few batches exist at a time, so memory does not
grow with the data."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from streamseg.errors import UsageError
from streamseg.flow import OpticalFlow
from streamseg.kernels import equalized
from streamseg.spec import Clahe
from train.augment import Drawn, borrowed, changed, moved
from train.classes import EGO_VEHICLE
from train.cluster import ALONE, Cluster
from train.config import Experiment
from train.datasets.base import Dataset
from train.datasets.frame_pairs import FramePairs
from train.donors import Donors
from train.label_sets import VOID_CODE, SetTable
from train.soft_targets import SoftFolder
from train.targets import motion_plane, stacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

    Batch = tuple[Image, Image]

THREADS = 2  # OpenCV and numpy let go of the interpreter, so these run beside the training step
_LAYERS = Drawn(own_car=1, bar=2)  # places in `Loader._drawn`; 0 is where nothing is drawn

READY = 4  # batches made ahead


class Loader:
    """Augmented batches of several data sets."""

    def __init__(
        self, experiment: Experiment, datasets: Sequence[Dataset], table: SetTable, cluster: Cluster = ALONE
    ) -> None:
        """
        datasets: one for each of `experiment.shares`, in order.
        cluster: of several workers each makes its own part of every batch, in order of their numbers.
        """
        self._experiment = experiment
        part = experiment.batch // cluster.workers
        self._slots = range(cluster.worker * part, (cluster.worker + 1) * part)
        self._datasets = datasets
        self._lookups = [
            table.lookup(each.label_sets, share.loss_weight)
            for each, share in zip(datasets, experiment.shares, strict=True)
        ]
        own_car, bar = (table.code(each) for each in drawn_sets(experiment))
        self._drawn = np.array([VOID_CODE, own_car, bar], np.uint8)
        self._donors = (
            Donors(experiment.classes, experiment.pasted, datasets, self._lookups, table)
            if experiment.augmentation.needs_donors
            else None
        )
        self._crop = experiment.crop or experiment.size
        self._clahe = experiment.clahe and scaled_clahe(experiment.clahe, experiment.size, self._crop)
        names = [each.name for each in experiment.classes]
        teacher = experiment.distillation
        self._soft = SoftFolder(Path(teacher.folder), names) if teacher else None
        pairs = [isinstance(each, FramePairs) for each in datasets]
        check_pairs(experiment, pairs)
        self._has_targets = self._soft is not None or any(pairs)
        self._plan = sampling_plan(experiment, [len(each) for each in datasets], pairs)

    def batch(self, step: int) -> Batch:
        """This worker's part of batch number `step`.

        Returns: pictures (n, height, width, 3) uint8 BGR and codes (n, height, width) uint8, n = batch / workers; with
            a teacher or pairs of frames, targets in place of codes, see `train.targets`.
        """
        samples = [self._sample(step, slot) for slot in self._slots]
        pictures, codes = zip(*samples, strict=True)
        return np.stack(pictures), np.stack(codes)

    def batches(self, first: int, last: int) -> Generator[Batch, None, None]:
        """Batches `first` to `last - 1`, made ahead in the background."""
        with ThreadPoolExecutor(THREADS, "batch") as pool:
            waiting: deque[Future[Batch]] = deque()
            try:
                for step in range(first, last):
                    waiting.append(pool.submit(self.batch, step))
                    if len(waiting) > READY:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _sample(self, step: int, slot: int) -> tuple[Image, Image]:
        experiment = self._experiment
        which, index = self._plan[step, slot]
        dataset = self._datasets[which]
        if isinstance(dataset, FramePairs):
            return self._frame(dataset.load_pair(int(index)), step, slot)
        random = np.random.default_rng((experiment.seed, step, slot))
        picture, labels = dataset.load(int(index))
        codes = self._lookups[which][labels]
        pasted: NDArray[np.bool_] | None = None
        if self._donors:
            picture, codes, pasted = borrowed(random, picture, codes, experiment.augmentation, self._donors)
        planes = [codes]
        soft = self._soft.plane(dataset.name, dataset.names[index]) if self._soft else None
        if soft is not None:
            planes.append(_as_large(soft, codes, pasted))
        picture, (codes, *said) = moved(random, picture, planes, experiment.size, self._crop, experiment.augmentation)
        nothing = np.zeros_like(codes)
        picture, drawn = changed(random, picture, nothing, experiment.augmentation, _LAYERS)
        codes = np.where(drawn > 0, self._drawn[drawn], codes)
        if self._clahe and random.random() < experiment.clahe_share:
            picture = equalized(picture, self._clahe)
        if not self._has_targets:
            return picture, codes
        # of what was drawn over the picture the teacher knows nothing, even where its label is that of what was there
        return picture, stacked(codes, said[0] * (drawn == 0)[..., None] if said else None)

    def _frame(self, pair: tuple[Image, Image], step: int, slot: int) -> tuple[Image, Image]:
        """One frame of a pair: the earlier one in an even slot; in the odd one after it the later one, with the motion.

        Both lie where the same dice put them; light and noise are each frame's own: a network should not care for them.
        """
        experiment, first = self._experiment, slot - slot % 2
        how = experiment.augmentation
        placed = []
        for frame in pair:
            random = np.random.default_rng((experiment.seed, step, first))
            inside = np.ones(frame.shape[:2], np.uint8)
            placed.append(moved(random, frame, [inside], experiment.size, self._crop, how))
        clahe = random.random() < experiment.clahe_share  # both or neither, as the runtime does it
        picture, (inside,) = placed[slot % 2]
        motion = None
        if slot % 2:
            before, after = (cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each, _ in placed)
            # on the cut-outs: so the flow is that of what the network sees, whatever was turned and stretched
            motion = motion_plane(OpticalFlow(self._crop).between(cast("Image", before), cast("Image", after)))
            motion = motion * inside[..., None]
        own = np.random.default_rng((experiment.seed, step, first, 1 + slot % 2))
        picture, _ = changed(own, picture, np.zeros_like(inside), how.nothing_drawn(), _LAYERS)
        if self._clahe and clahe:
            picture = equalized(picture, self._clahe)
        return picture, stacked(np.full_like(inside, VOID_CODE), motion=motion)


def check_pairs(experiment: Experiment, pairs: Sequence[bool]) -> None:
    """Raises UsageError unless pairs of frames have their loss, and labelled pictures beside them.

    pairs: which data sets are pairs of frames.
    """
    if any(pairs) != (experiment.steadiness > 0):
        raise UsageError(
            f"steadiness is {experiment.steadiness} and {sum(pairs)} of the shares are frame-pairs; it takes a weight "
            "above 0 and such a share, or neither"
        )
    if any(pairs) and all(pairs):
        raise UsageError("frame-pairs have no labels, and alone teach nothing; add a share with labels")


def _as_large(soft: Image, codes: Image, pasted: NDArray[np.bool_] | None) -> Image:
    """A soft target at the size of its picture's codes, by nearest neighbour, since ids cannot be mixed; without what
    was pasted, of which the teacher knows nothing."""
    height, width = codes.shape
    large = cast("Image", cv2.resize(soft, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    return large if pasted is None else large * ~pasted[..., None]


def drawn_sets(experiment: Experiment) -> tuple[frozenset[int], frozenset[int]]:
    """What a drawn bonnet and a drawn bar may be: the own car if the model has that class; anything else than road."""
    no_scene = frozenset(each.id for each in experiment.classes if each.name not in experiment.not_own_car)
    own_car = frozenset(each.id for each in experiment.classes if each.name == EGO_VEHICLE.name)
    return own_car or no_scene, no_scene


def scaled_clahe(clahe: Clahe, size: tuple[int, int], crop: tuple[int, int]) -> Clahe:
    """The same size of tiles on a crop as on the whole input."""
    rows, columns = (max(1, round(t * c / s)) for t, c, s in zip(clahe.tiles, crop, size, strict=True))
    return replace(clahe, tiles=(rows, columns))


def sampling_plan(experiment: Experiment, sizes: Sequence[int], pairs: Sequence[bool] = ()) -> NDArray[np.int32]:
    """Which sample goes where: (steps, batch, 2) int32 of data set and index.

    Data sets are drawn by weight; within one, every sample comes once before any comes again.

    pairs: which data sets are pairs of frames; each pair takes an even slot and the odd one after it.
    """
    random = np.random.default_rng(experiment.seed)
    shape = experiment.epochs * experiment.steps_per_epoch, experiment.batch
    weights = np.array([share.weight for share in experiment.shares], np.float64)
    which = random.choice(len(sizes), shape, p=weights / weights.sum()).astype(np.int32)
    # nothing is drawn for pairs where there are none: the batches of configs without them stay what they were
    second = _second_of_pairs(random, which, weights, pairs) if any(pairs) else np.zeros(shape, bool)
    index = np.empty(shape, np.int32)
    for place, size in enumerate(sizes):
        here = (which == place) & ~second
        rounds = -(-int(here.sum()) // size)
        order = np.concatenate([random.permutation(size) for _ in range(rounds)]) if rounds else np.empty(0, int)
        index[here] = order[: here.sum()]
    index[second] = np.roll(index, 1, axis=1)[second]
    return np.stack([which, index], axis=-1)


def _second_of_pairs(
    random: np.random.Generator, which: NDArray[np.int32], weights: NDArray[np.float64], pairs: Sequence[bool]
) -> NDArray[np.bool_]:
    """The slots of the later frames, (steps, batch) bool. Changes `which`: an odd slot follows an even one that is a
    pair, and is none of its own behind another, so that all data sets keep their weights."""
    paired = np.isin(which[:, ::2], np.flatnonzero(pairs))
    others = weights * ~np.array(pairs)
    drawn = random.choice(len(weights), paired.shape, p=others / others.sum()).astype(np.int32)
    which[:, 1::2] = np.where(paired, which[:, ::2], drawn)
    second = np.zeros(which.shape, bool)
    second[:, 1::2] = paired
    return second

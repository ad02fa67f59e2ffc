"""Batches for training, made in background threads. Batch k depends on the seed and k only, so training resumes
exactly and each of several workers can make its own part; at most a few batches exist at a time, so memory does not
grow with the data."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from streamseg.kernels import equalized
from streamseg.spec import Clahe
from train.augment import Drawn, augmented
from train.classes import EGO_VEHICLE
from train.cluster import ALONE, Cluster
from train.config import Experiment
from train.datasets.base import Dataset
from train.label_sets import SetTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from streamseg.pixels import Image

    Batch = tuple[Image, Image]

THREADS = 2  # OpenCV and numpy let go of the interpreter, so these run beside the training step
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
        self._drawn = Drawn(*(table.code(each) for each in drawn_sets(experiment)))
        self._crop = experiment.crop or experiment.size
        self._clahe = experiment.clahe and scaled_clahe(experiment.clahe, experiment.size, self._crop)
        self._plan = sampling_plan(experiment, [len(each) for each in datasets])

    def batch(self, step: int) -> Batch:
        """This worker's part of batch number `step`.

        Returns: pictures (n, height, width, 3) uint8 BGR and codes (n, height, width) uint8, n = batch / workers.
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
        random = np.random.default_rng((experiment.seed, step, slot))
        picture, labels = self._datasets[which].load(int(index))
        codes = self._lookups[which][labels]
        picture, codes = augmented(
            random, picture, codes, experiment.size, self._crop, experiment.augmentation, self._drawn
        )
        if self._clahe and random.random() < experiment.clahe_share:
            picture = equalized(picture, self._clahe)
        return picture, codes


def drawn_sets(experiment: Experiment) -> tuple[frozenset[int], frozenset[int]]:
    """What a drawn bonnet and a drawn bar may be: the own car if the model has that class; anything else than road."""
    no_scene = frozenset(each.id for each in experiment.classes if each.name not in experiment.not_own_car)
    own_car = frozenset(each.id for each in experiment.classes if each.name == EGO_VEHICLE.name)
    return own_car or no_scene, no_scene


def scaled_clahe(clahe: Clahe, size: tuple[int, int], crop: tuple[int, int]) -> Clahe:
    """The same size of tiles on a crop as on the whole input."""
    rows, columns = (max(1, round(t * c / s)) for t, c, s in zip(clahe.tiles, crop, size, strict=True))
    return replace(clahe, tiles=(rows, columns))


def sampling_plan(experiment: Experiment, sizes: Sequence[int]) -> NDArray[np.int32]:
    """Which sample goes where: (steps, batch, 2) int32 of data set and index.

    Data sets are drawn by weight; within one, every sample comes once before any comes again.
    """
    random = np.random.default_rng(experiment.seed)
    shape = experiment.epochs * experiment.steps_per_epoch, experiment.batch
    weights = np.array([share.weight for share in experiment.shares], np.float64)
    which = random.choice(len(sizes), shape, p=weights / weights.sum()).astype(np.int32)
    index = np.empty(shape, np.int32)
    for place, size in enumerate(sizes):
        here = which == place
        rounds = -(-int(here.sum()) // size)
        order = np.concatenate([random.permutation(size) for _ in range(rounds)]) if rounds else np.empty(0, int)
        index[here] = order[: here.sum()]
    return np.stack([which, index], axis=-1)

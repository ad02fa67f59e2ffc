"""A data set and a network so small that a training of them takes a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from streamseg.spec import SegmentClass
from train.architectures import ARCHITECTURES
from train.datasets import DATASETS
from train.datasets.base import Dataset

CLASSES = (SegmentClass(0, "dark", (40, 40, 90)), SegmentClass(1, "road", (60, 220, 90)))

STRIPED = '''
"""Two convolutions learn which stripe is bright."""

from tests.striped import CLASSES, register
from train.augment import Augmentation
from train.config import Experiment, Share

register()
EXPERIMENT = Experiment(
    **{
        "name": "striped",
        "architecture": "two-convolutions",
        "classes": CLASSES,
        "shares": (Share("striped"),),
        "validation": Share("striped"),
        "size": (32, 64),
        "batch": 4,
        "epochs": 3,
        "steps_per_epoch": 4,
        "learning_rate": 1e-2,
        "warmup_steps": 2,
        "jaccard_weight": 0.5,
        "augmentation": Augmentation(jpeg=0, night=0),
        **FIELDS,
    }
)
'''


def striped_config(folder: Path, **fields: Any) -> Path:
    """Writes the config file of the training, with the fields given instead of its own."""
    path = folder / "striped.py"
    path.write_text(STRIPED.replace("FIELDS", repr(fields)))
    return path


class Striped(Dataset):
    """Dark and bright stripes under noise; the bright ones are road. Sample i depends on i only."""

    def __init__(self, _root, _classes, count: int = 8) -> None:
        self.name = "striped"
        self.label_sets = {0: frozenset({0}), 1: frozenset({1})}
        self.names = [f"stripes {i}" for i in range(count)]

    def load(self, index):
        random = np.random.default_rng(index)
        labels = (np.arange(64)[None] // (4 + index % 5) % 2).repeat(32, 0).astype(np.uint8)
        noise = random.integers(0, 60, (32, 64, 3), np.uint8)
        return labels[..., None] * np.uint8(150) + noise, labels


def two_convolutions(size, classes, *, filters: int = 8) -> keras.Model:
    """Logits at stride 4, with batch normalisation and without dropout."""
    frames = keras.Input((*size, 3), name="frames")
    x = keras.layers.Rescaling(1 / 255, name="scaled")(frames)
    x = keras.layers.Conv2D(filters, 4, 4, name="first", use_bias=False)(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    return keras.Model(frames, keras.layers.Conv2D(classes, 1, name="logits")(x))


def register() -> None:
    """Both under a name that a config can give."""
    ARCHITECTURES["two-convolutions"] = two_convolutions
    DATASETS["striped"] = Striped

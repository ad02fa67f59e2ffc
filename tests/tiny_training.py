"""Fixtures: a training that takes seconds, on the built-in scene at 64x96 with a narrow decoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]

TINY = '''
"""A training of seconds."""

from train.augment import Augmentation
from train.config import Experiment, Share

SCENE = {"size": (64, 96), "count": 6, "keep": "KEEP"}
EXPERIMENT = Experiment(
    name="tiny",
    shares=(Share("synthetic", 1.0, SCENE),),
    validation=Share("synthetic", 1.0, SCENE),
    options={"widths": (16, 16, 16)},
    size=(64, 96),
    batch=4,
    epochs=4,
    steps_per_epoch=15,
    learning_rate=3e-3,
    warmup_steps=5,
    average_decay=0.5,
    class_weight_power=0.3,
    augmentation=Augmentation(color=0.2, night=0, bonnet=0.2),
    about={"data": "the built-in scene"},
)
'''


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory) -> Path:
    """A config file that trains in seconds."""
    folder = tmp_path_factory.mktemp("tiny")
    path = folder / "tiny.py"
    path.write_text(TINY.replace("KEEP", str(folder / "rendered")))
    return path


@pytest.fixture(scope="session")
def train_command():
    """Runs `python -m ARGUMENTS` in the checkout; gives the finished process."""

    def run(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run

"""A training that must end at a given time: how many epochs of how many steps fit, from how long a few of them take.

The learning rate falls to zero at the last step, wherever that is, so a training cut off by the clock would end with
a rate that is still high and weights that still jump. Hence the number of steps is settled before the first one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from streamseg.errors import UsageError
from train.config import Experiment

RESERVE = 0.04
"""Share of the time kept back: machines slow down once they are warm, and sheets of pictures are not in the trial."""

SCORING = 0.1
"""Largest share of the time that scoring may take: on a fast GPU a config's epochs would be over before their score."""

WARMUP = 0.1
"""Largest share of the steps in which the learning rate rises."""

TRIAL_STEPS = 10
"""Steps that are timed: by then the batches made ahead are used up, and making them counts too."""


@dataclass(frozen=True)
class Pace:
    """How fast a machine is at a training, seconds.

    start_s: building and compiling, up to the end of the first step.
    step_s: one step, its batch and the running average.
    epoch_s: what follows an epoch that is scored.
    """

    start_s: float
    step_s: float
    epoch_s: float


def fitted(experiment: Experiment, seconds: float, pace: Pace) -> dict[str, int]:
    """The fields of the experiment that make it last so long, start included.

    Epochs get longer than the config's where scores would take too much of the time, and as many as then fit.

    Raises:
        UsageError: not even one step and its score fit; the message says what would.
    """
    after = pace.epoch_s / experiment.validate_every
    usable = seconds * (1 - RESERVE) - pace.start_s
    if usable < pace.step_s + after:
        least = (pace.start_s + pace.step_s + after) / (1 - RESERVE)
        raise UsageError(
            f"a start and one step with its score take {math.ceil(least)} s here, and {max(0, math.floor(seconds))} s "
            "are left of --minutes; give more"
        )
    steps = max(experiment.steps_per_epoch, math.ceil(after * (1 / SCORING - 1) / pace.step_s))
    epochs = max(1, int(usable / (steps * pace.step_s + after)))
    steps = max(1, int((usable / epochs - after) / pace.step_s))
    # a warm-up made for hours would eat a short training whole
    warmup = min(experiment.warmup_steps, int(epochs * steps * WARMUP))
    return {"epochs": epochs, "steps_per_epoch": steps, "warmup_steps": warmup}

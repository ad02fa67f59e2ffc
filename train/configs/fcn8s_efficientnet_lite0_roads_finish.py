"""The end of `fcn8s_efficientnet_lite0_roads`: a short training that starts from it, with a rate that falls to zero.

    python -m train train/configs/fcn8s_efficientnet_lite0_roads_finish.py

On whole inputs in place of crops, since the network is used on those: what is left of the noise of a high rate goes,
and the last tenths of the scores come. Hardware: two CPU cores.
"""

from dataclasses import replace
from pathlib import Path

from train.config import load_config

_LONG = load_config(Path(__file__).with_name("fcn8s_efficientnet_lite0_roads.py"))

EXPERIMENT = replace(
    _LONG,
    crop=None,
    start_from="train/checkpoints/fcn8s-efficientnet-lite0-roads",
    epochs=24,
    learning_rate=3e-4,
    warmup_steps=50,
    decay_share=1.0,
    average_decay=0.99,  # the falling rate averages by itself
    pictures_every=24,
    seed=15,
)

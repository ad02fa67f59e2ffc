"""Published encoder weights as they are handed out, where such a file is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from train.architectures import ARCHITECTURES
from train.encoders.squeezenet import load_squeezenet

pytestmark = pytest.mark.training

DATA = Path(os.environ.get("STREAMSEG_DATA") or Path(__file__).parents[3] / "shared" / "data")
FILE = DATA / "weights" / "squeezenet_v1.1_imagenet_notop.h5"


@pytest.mark.skipif(not FILE.is_file(), reason="needs SqueezeNet's weights below STREAMSEG_DATA or ../shared/data")
def test_squeezenets_published_file_fits_the_network():
    """Every convolution of the encoder, from the first to the last."""
    model = ARCHITECTURES["fcn8s-squeezenet"]((64, 96), 2)
    load_squeezenet(model, FILE)
    with h5py.File(FILE) as file:
        first = file["conv1/conv1_3/kernel:0"][()]
        last = file["fire9/expand3x3"][file["fire9/expand3x3"].attrs["weight_names"][0]][()]
    assert np.array_equal(model.get_layer("conv1").get_weights()[0], first)
    assert np.array_equal(model.get_layer("fire9_expand3x3").get_weights()[0], last)

"""`python -m train layers` and `architectures`, and networks by name."""

from __future__ import annotations

import json

import keras
import pytest
from click.testing import CliRunner
from keras import layers

from streamseg.errors import UsageError
from train.architectures import ARCHITECTURES, build
from train.commands import architectures as architectures_command
from train.commands import layers as layers_command
from train.config import Experiment, Share
from train.cost import gigaflops, milliseconds

pytestmark = pytest.mark.training


def experiment(**changes) -> Experiment:
    return Experiment(name="any", shares=(Share("synthetic"),), **changes)


def test_networks_are_found_by_name_and_an_unknown_one_lists_them():
    """A config's architecture, with its classes and options."""
    model = build(experiment(options={"widths": (8, 8, 8)}), (32, 64))
    assert model.output_shape == (None, 8, 16, 11)
    with pytest.raises(UsageError, match=f"no architecture is called 'unet'; choose from: {', '.join(ARCHITECTURES)}"):
        build(experiment(architecture="unet"), (32, 64))


@pytest.mark.parametrize(
    ("name", "known"),
    [("fcn8s-vgg16", "scaling, keep, l2"), ("fcn8s-squeezenet", "widths, finest_stride, separable, dropout")],
)
def test_an_option_that_a_network_lacks_is_refused_with_those_it_has(name, known):
    """Before anything is built."""
    with pytest.raises(UsageError, match=f"{name} has no option 'width'; its options are: {known}"):
        build(experiment(architecture=name, options={"width": 3}), (32, 64))


def test_layers_prints_shapes_and_parameters(train_command):
    """The reference network's table, line for line where the shapes are promised."""
    done = train_command("train", "layers", "fcn8s-vgg16")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["layer", "kind", "output", "parameters"]
    assert ["fc6", "Conv2D", "5x18x4096", "102,764,544"] in rows
    assert ["up2", "Conv2DTranspose", "20x72x256", "8,388,864"] in rows
    assert ["logits", "Conv2DTranspose", "160x576x2", "131,074"] in rows
    assert rows[-1] == ["total", "149,072,962"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fcn8s-unet"], "no architecture is called 'fcn8s-unet'; choose from: fcn8s-vgg16, "),
        (["fcn8s-vgg16", "--size", "100x64"], "multiples of 32, got 100x64; the nearest is 96x64"),
    ],
)
def test_mistakes_in_what_to_list_are_the_projects_own_errors(arguments, message):
    """The command line turns these into one line each."""
    result = CliRunner().invoke(layers_command.main, arguments)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


@pytest.mark.parametrize("size", ["100", "0x64", "64x", "64 x 96"])
def test_a_size_is_width_x_height(size):
    """Anything else is refused with an example."""
    result = CliRunner().invoke(layers_command.main, ["fcn8s-vgg16", "--size", size])
    assert result.exit_code == 2
    assert f"expected WIDTHxHEIGHT such as 512x288, got '{size}'" in result.output


def test_architectures_lists_every_network():
    """As JSON and as a table, at any size and number of classes."""
    result = CliRunner().invoke(
        architectures_command.main, ["--no-time", "--json", "--size", "576x160", "--classes", "2"]
    )
    found = json.loads(result.output)
    assert [row["name"] for row in found["architectures"]] == list(ARCHITECTURES)
    assert (found["size"], found["classes"]) == ([160, 576], 2)
    assert found["architectures"][0] == {"name": "fcn8s-vgg16", "parameters": 149_072_962, "gflops": 85.44}


def test_the_table_of_architectures_is_for_people(monkeypatch):
    """One line a network, with thousands marked and the clock's column named."""
    monkeypatch.setitem(ARCHITECTURES, "fcn8s-squeezenet", ARCHITECTURES["fcn8s-squeezenet"])
    for name in set(ARCHITECTURES) - {"fcn8s-squeezenet"}:
        monkeypatch.delitem(ARCHITECTURES, name)
    lines = CliRunner().invoke(architectures_command.main, ["--size", "64x32"]).output.splitlines()
    assert lines[0].split("  ")[-1].strip() == "ms (Keras, this machine)"
    assert lines[1].split()[:2] == ["fcn8s-squeezenet", "1,359,052"]
    assert float(lines[1].split()[-1]) > 0


def test_gigaflops_are_two_for_each_use_of_a_kernels_number():
    """Worked by hand: 8x8 places of 3x3x3x4, 4x4 of depthwise 3x3x4, 4x4 read by 4x4x2x4 transposed, one dense."""
    frames = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(frames)
    x = layers.DepthwiseConv2D(3, 2, padding="same")(x)
    x = layers.Conv2DTranspose(2, 4, 2, padding="same")(x)
    x = layers.Dense(5)(layers.GlobalAveragePooling2D()(x))
    by_hand = 64 * 108 + 16 * 36 + 16 * 128 + 10
    assert gigaflops(keras.Model(frames, x)) == pytest.approx(2 * by_hand / 1e9)


def test_milliseconds_are_measured():
    """A positive number from a real call."""
    frames = keras.Input((8, 8, 3))
    assert milliseconds(keras.Model(frames, layers.Conv2D(4, 3)(frames)), pictures=3) > 0

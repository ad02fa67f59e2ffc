"""One set of weights at several input sizes, from one file or from files beside each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from streamseg.backends import find_model, load_backend
from streamseg.backends.sizes import file_at_size, offered_sizes
from streamseg.backends.tensors import read_spec
from streamseg.errors import ModelError
from streamseg.spec import ModelSpec, SegmentClass
from tests.builders import offering, threshold_model
from tests.foreign_models import described, two_logits
from tests.segmenters import color_model, painted

CLASSES = (SegmentClass(0, "sky", (70, 130, 180)), SegmentClass(1, "road", (128, 64, 128)))
OWN, SMALL, LARGE = (32, 64), (16, 32), (64, 96)
"""(height, width); the last is of another shape than the first."""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A network that tells two colours apart, of 64x32, and offers 32x16 and 96x64."""
    return offering(color_model(tmp_path / "net.onnx", CLASSES, size=OWN), SMALL, LARGE)


@pytest.mark.parametrize("device", ["cpu", "openvino"])
@pytest.mark.parametrize("size", [OWN, SMALL, LARGE])
def test_one_file_gives_right_labels_at_every_size_it_offers(net, size, device):
    """In every library, at whatever number of frames; the description is of that size."""
    labels = np.zeros((2, *size), np.uint8)
    labels[0, size[0] // 2 :], labels[1, :, : size[1] // 2] = 1, 1
    backend = load_backend(net, device, precision="fp32", size=size)
    assert (backend.spec.height, backend.spec.width) == size
    found = backend.infer(np.stack([painted(each, CLASSES) for each in labels]))
    assert (found == labels).mean() >= 0.999


def test_a_size_that_is_not_offered_is_one_line_with_those_that_are(net):
    """The largest first."""
    with pytest.raises(ModelError) as caught:
        load_backend(net, size=(32, 32))
    assert str(caught.value) == "'net.onnx' has no input of 32x32; it has: 96x64, 64x32, 32x16 (width x height)"


def test_a_file_made_for_a_size_comes_before_one_that_is_brought_to_it(net):
    """Files beside it that are named like it but for the size are its sizes too; others are not."""
    own = threshold_model(net.with_name("net-32x16.onnx"), *SMALL)
    threshold_model(net.with_name("network-8x8.onnx"), 8, 8)
    assert list(offered_sizes(net)) == [LARGE, OWN, SMALL]
    assert file_at_size(net, SMALL) == own
    assert file_at_size(net, OWN) == net
    assert file_at_size(net, None) == net


def test_the_copy_is_kept_and_made_anew_for_other_weights(net):
    """It never stands for another file of the same name."""
    copy = file_at_size(net, SMALL)
    assert copy.name == "net.onnx"
    assert file_at_size(net, SMALL) == copy
    onnx.checker.check_model(copy, full_check=True)
    color_model(net, (*CLASSES, SegmentClass(2, "car", (0, 0, 142))), size=OWN)
    offering(net, SMALL)
    assert len(read_spec(file_at_size(net, SMALL)).classes) == 3


def test_other_precisions_have_the_size_too(net):
    """NAME-int8.onnx beside the model is brought to it as well."""
    shutil.copy(net, net.with_name("net-int8.onnx"))
    backend = load_backend(net, "cpu", precision="int8", size=SMALL)
    assert backend.infer(np.zeros((1, *SMALL, 3), np.uint8)).shape == (1, *SMALL)


def test_a_model_from_elsewhere_offers_what_its_description_lists(tmp_path):
    """As WIDTHxHEIGHT; floats in planes, logits out."""
    path = described(two_logits(tmp_path / "bright.onnx"), top='sizes = ["48x32"]\n' + _classes())
    backend = load_backend(path, "cpu", size=(32, 48))
    white = np.full((1, 32, 48, 3), 255, np.uint8)
    white[:, :16] = 0
    labels = backend.infer(white)
    assert labels.shape == (1, 32, 48)
    assert (labels[0, :16] == 0).all()
    assert (labels[0, 16:] == 1).all()


def _classes() -> str:
    return 'classes = [{ name = "dark", color = [0, 0, 0] }, { name = "bright", color = [255, 255, 255] }]'


def test_weights_in_a_file_of_their_own_are_not_copied(net):
    """They may be gigabytes: the model has to be exported at the size."""
    proto = onnx.load(net)
    onnx.save(proto, net, save_as_external_data=True, location="net.data", size_threshold=0)
    with pytest.raises(ModelError, match=r"'net\.onnx' cannot be brought to 32x16, .* export it at that size"):
        load_backend(net, size=SMALL)


def test_a_cache_that_cannot_be_written_is_one_line(net, tmp_path, monkeypatch):
    """With the way out."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"copy, which cannot be written: .*; set STREAMSEG_CACHE_DIR to a folder"):
        file_at_size(net, SMALL)


@pytest.mark.parametrize("written", ['"320"', '["320×192"]', '["320x"]', "[320, 192]", '["0x192"]', '["99999x8"]'])
def test_sizes_that_are_none_are_refused(written):
    """Where the description is read."""
    text = f'name = "m"\nheight = 4\nwidth = 6\n{_classes()}\nsizes = {written}\n'
    with pytest.raises(ModelError, match=r"^model description: sizes"):
        ModelSpec.from_toml(text)


def test_the_bundled_model_offers_three_sizes():
    """The default one in the middle: 288x512, as height by width."""
    sizes = offered_sizes(find_model())
    assert list(sizes) == [(384, 672), (288, 512), (192, 320)]
    assert read_spec(find_model()).height == 288

"""Which files make up a model."""

from __future__ import annotations

import shutil

import numpy as np
import onnx
import pytest

from streamseg.backends import load_backend
from streamseg.backends.companions import description_file, files_of
from streamseg.errors import ModelError
from tests.builders import logits_model
from tests.streamseg.backends.foreign import TOML


@pytest.fixture
def foreign(tmp_path):
    """A model from elsewhere with an int8 form beside it, and one description."""
    path = logits_model(tmp_path / "elsewhere.onnx")
    shutil.copy(path, tmp_path / "elsewhere-int8.onnx")
    path.with_suffix(".toml").write_text(TOML)
    return path


def test_one_description_serves_the_int8_form_too(foreign):
    """It runs, and is not left out of a trial."""
    backend = load_backend(foreign, "cpu", precision="int8")
    assert int(backend.infer(np.full((1, 48, 64, 3), 250, np.uint8))[0, 0, 0]) == 2
    assert "onnxruntime int8" in load_backend(foreign, "cpu").choice.reason


def test_a_form_with_a_description_of_its_own_goes_by_that(foreign):
    """Its tensors may be others."""
    own = foreign.with_name("elsewhere-int8.toml")
    own.write_text(TOML.replace('"elsewhere"', '"small"'))
    assert description_file(foreign.with_name("elsewhere-int8.onnx")) == own
    assert load_backend(foreign.with_name("elsewhere-int8.onnx"), "cpu").spec.name == "small"


def test_a_model_whose_name_only_looks_like_a_form_has_its_own(tmp_path):
    """NAME-road.onnx is no form of NAME.onnx, and one without a NAME is nobody's."""
    (tmp_path / "net.toml").write_text(TOML)
    assert description_file(tmp_path / "net-road.onnx").name == "net-road.toml"
    assert description_file(tmp_path / "other-int8.onnx").name == "other-int8.toml"


def test_weights_beside_the_graph_belong_to_it(foreign):
    """And one that is missing is named before anything is loaded."""
    proto = onnx.load(foreign)
    onnx.save(proto, foreign, save_as_external_data=True, location="elsewhere.data", size_threshold=0)
    names = [path.name for path in files_of(foreign)]
    assert names == ["elsewhere.onnx", "elsewhere.data", "elsewhere.toml"]
    foreign.with_name("elsewhere.data").unlink()
    with pytest.raises(ModelError, match=r"elsewhere\.onnx' keeps its weights in 'elsewhere\.data', which is not b"):
        load_backend(foreign, "cpu")


def test_a_graph_for_batches_of_one_size_runs_one_frame_and_many(tmp_path):
    """Filled up, or taken apart."""
    path = tmp_path / "batch.onnx"
    proto = onnx.load(logits_model(path))
    for each in (*proto.graph.input, *proto.graph.output):
        each.type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(proto, path)
    path.with_suffix(".toml").write_text(TOML)
    backend = load_backend(path, "cpu")
    values = (10, 128, 250, 10, 250, 128)
    batch = np.stack([np.full((48, 64, 3), value, np.uint8) for value in values])
    assert backend.infer(batch)[:, 0, 0].tolist() == [0, 1, 2, 0, 2, 1]
    assert backend.infer(batch[2:3])[:, 0, 0].tolist() == [2]

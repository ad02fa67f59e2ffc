"""Everything that lists engines says what they say of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamseg.backends import ENGINES, load_backend
from streamseg.backends.base import Engine
from streamseg.backends.engines import engine_that_ran
from streamseg.errors import ModelError

CHECKOUT = Path(__file__).resolve().parents[3]


def row(engine: Engine, device: str) -> str:
    """Of the table in the documentation."""
    cells = [f"`{device}`", engine.name, ", ".join(engine.precisions), ", ".join(engine.suffixes), engine.needs]
    return f"| {' | '.join(cells)} |"


def test_the_documentations_table_is_that_of_the_engines():
    """Row by row, none too many."""
    page = (CHECKOUT / "docs" / "models.md").read_text(encoding="utf-8")
    _, _, table = page.partition("|---|---|---|---|---|\n")
    assert table.split("\n\n")[0].splitlines() == [row(engine, each) for engine in ENGINES for each in engine.devices]


def test_the_readme_names_every_device():
    """As help does."""
    devices = "\\|".join(["auto", *(each for engine in ENGINES for each in engine.devices)])
    assert f"`--device {devices}`" in (CHECKOUT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("device", "name", "on_gpu"),
    [("cpu", "onnxruntime", False), ("openvino:CPU mixed", "openvino", False), ("cuda:1 fp16", "cuda", True)],
)
def test_what_ran_is_known_by_the_name_it_gave(device, name, on_gpu):
    """From the closing line of a run, as benchmarks read it."""
    engine = engine_that_ran(device)
    assert (engine.name, engine.on_gpu) == (name, on_gpu)


@pytest.mark.parametrize("device", [None, 0, "gpu"])
def test_a_device_that_there_is_not_is_refused_with_those_there_are(device):
    """Whatever its type."""
    with pytest.raises(ModelError, match=rf"there is no device '{device}'; use auto, .*cpu"):
        load_backend(device=device)

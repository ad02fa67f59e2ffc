"""The bundled model's card against what the evaluation command prints, on the real data where it is at hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
DATA = CHECKOUT.parent / "shared" / "data"
MODEL = Path("streamseg/models/fcn8s-squeezenet-camvid.onnx")

pytestmark = pytest.mark.skipif(not (DATA / "camvid").is_dir(), reason="needs CamVid in ../shared/data")


def evaluated(dataset: str) -> dict:
    """What the command in the card prints."""
    command = [sys.executable, "-m", "train.evaluate", str(MODEL), dataset, "--data", str(DATA), "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def card_table(heading: str) -> dict[str, float]:
    """The rows `| name | 0.1234 |` below a heading of the card."""
    card = (CHECKOUT / MODEL.with_suffix(".md")).read_text("utf-8")
    section = card.split(f"## {heading}")[1].split("\n## ")[0]
    return {
        name.strip(): float(value) for name, value in re.findall(r"^\| ([a-z IU]+) \| (\d\.\d{4}) \|$", section, re.M)
    }


@pytest.mark.parametrize("dataset", ["camvid-val", "idd-lite-unseen"])
def test_the_cards_scores_are_those_the_command_prints(dataset):
    """Every class, the mean and the accuracy, to the fourth place but for rounding of other processors."""
    figures = evaluated(dataset)
    expected = figures["iou"] | {"mean IoU": figures["mean_iou"], "accuracy": figures["accuracy"]}
    assert card_table(f"Scores on {dataset}") == pytest.approx(expected, abs=5e-4)


def test_the_scores_in_the_file_are_those_of_the_card():
    """`streamseg info` and the card say the same."""
    from streamseg.backends import load_backend

    scores = load_backend(CHECKOUT / MODEL, device="cpu").spec.training["scores"]
    assert set(scores) == {"camvid-val", "idd-lite-unseen"}
    for dataset, figures in scores.items():
        table = card_table(f"Scores on {dataset}")
        assert table["mean IoU"] == figures["mean_iou"]
        assert figures["iou"].items() <= table.items()

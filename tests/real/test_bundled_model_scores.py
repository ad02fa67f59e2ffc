"""The bundled model's card against what the evaluation command prints, on the real data where it is at hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streamseg.backends import find_model, load_backend

CHECKOUT = Path(__file__).parents[2]
DATA = Path(os.environ.get("STREAMSEG_DATA") or CHECKOUT.parent / "shared" / "data")
MODEL = find_model()
CARD = MODEL.with_suffix(".md").read_text("utf-8")
SCORED = re.findall(r"^## Scores on (\S+)$", CARD, re.M)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "camvid").is_dir(), reason="needs CamVid below STREAMSEG_DATA or ../shared/data"),
]


def evaluated(dataset: str) -> dict:
    """What the command in the card prints."""
    command = [sys.executable, "-m", "train.evaluate", str(MODEL), dataset, "--data", str(DATA), "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def card_table(dataset: str) -> dict[str, float]:
    """The rows `| name | 0.1234 |` below the card's heading of a data set."""
    section = CARD.split(f"## Scores on {dataset}\n")[1].split("\n## ")[0]
    return {name: float(value) for name, value in re.findall(r"^\| ([a-zA-Z ]+?) \| (\d\.\d{4}) \|$", section, re.M)}


@pytest.mark.parametrize("dataset", SCORED)
def test_the_cards_scores_are_those_the_command_prints(dataset):
    """Every class, the mean and the accuracy, to the fourth place but for rounding of other processors."""
    figures = evaluated(dataset)
    expected = figures["iou"] | {"mean IoU": figures["mean_iou"], "accuracy": figures["accuracy"]}
    assert card_table(dataset) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("dataset", SCORED)
def test_the_card_names_the_command_that_prints_its_scores(dataset):
    """With the model's own path."""
    assert f"python -m train.evaluate {MODEL.relative_to(CHECKOUT)} {dataset}" in CARD


def test_the_scores_in_the_file_are_those_of_the_card():
    """`streamseg info` and the card say the same of the same data, CamVid val among it."""
    scores = load_backend(MODEL, device="cpu").spec.training["scores"]
    assert "camvid-val" in SCORED
    assert set(scores) == set(SCORED)
    for dataset, figures in scores.items():
        table = card_table(dataset)
        assert table["mean IoU"] == figures["mean_iou"]
        assert figures["iou"].items() <= table.items()

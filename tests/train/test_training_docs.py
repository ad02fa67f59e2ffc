"""The commands in docs/training.md work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from train.config import load_config

pytestmark = pytest.mark.training

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "training.md").read_text("utf-8")
BLOCKS = [text.splitlines() for text in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)]


def test_the_walk_without_data_works_from_training_to_video(tmp_path):
    """The first block as it stands, but for fewer steps."""
    for package in ("train", "export"):
        (tmp_path / package).symlink_to(CHECKOUT / package)
    for line in BLOCKS[0]:
        program, *arguments = shlex.split(line)
        if arguments[:2] == ["-m", "train"]:
            arguments += ["--epochs", "1", "--steps-per-epoch", "3"]
        if arguments[:2] == ["-m", "train.evaluate"]:
            arguments[-1] = "2"
        start = [sys.executable] if program == "python" else [sys.executable, "-m", program]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        done = subprocess.run(
            [*start, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stderr)
    assert (tmp_path / "trained.mp4").stat().st_size > 10_000


@pytest.mark.parametrize("path", sorted((CHECKOUT / "train" / "configs").glob("*.py")), ids=lambda path: path.stem)
def test_every_config_loads_and_its_header_says_its_command(path):
    """So that a person can start it by copying a line."""
    experiment = load_config(path)
    assert experiment.shares and experiment.epochs > 0
    assert f"python -m train train/configs/{path.name}" in path.read_text("utf-8")


def test_every_config_that_the_page_names_exists():
    """Renamed configs would leave the page behind."""
    named = re.findall(r"train/configs/\w+\.py", PAGE)
    assert named
    assert [name for name in named if not (CHECKOUT / name).is_file()] == []


FREE = {"synthetic", "synthetic-unseen", "comma10k", "lums-campus"}


def test_the_weights_for_any_use_learn_from_nothing_that_forbids_a_use():
    """No data set, start or teacher that is for research only has a part; the licence text names all that have one."""
    experiment = load_config(CHECKOUT / "train" / "configs" / "fcn8s_efficientnet_lite0_free.py")
    used = [*experiment.shares, experiment.validation, *experiment.also_validated]
    assert {each.dataset for each in used} <= FREE
    assert experiment.start_from is None and experiment.distillation is None
    assert (experiment.encoder_weights, experiment.name) == ("imagenet", "fcn8s-efficientnet-lite0-free")
    text = (CHECKOUT / "train" / "licences" / f"{experiment.name}.md").read_text("utf-8")
    for source in ("comma10k", "LUMS campus", "built into streamseg", "EfficientNet-Lite0", "Apache License"):
        assert source in text

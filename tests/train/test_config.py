"""What a config may say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamseg.errors import UsageError
from train.config import Experiment, Share, load_config

EXPERIMENT = Experiment(name="any", shares=(Share("synthetic"),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 0}, "batch must be a whole number from 1, got 0"),
        ({"epochs": 2.5}, "epochs must be a whole number from 1, got 2.5"),
        ({"steps_per_epoch": True}, "steps_per_epoch must be a whole number from 1, got True"),
        ({"validate_every": 0}, "validate_every must be a whole number from 1, got 0"),
        ({"pictures_every": -1}, "pictures_every must be a whole number from 0, got -1"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0, got 0"),
        ({"learning_rate": "fast"}, "learning_rate must be a number above 0, got 'fast'"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0, got nan"),
        ({"jaccard_weight": -0.5}, "jaccard_weight must be a number from 0, got -0.5"),
        ({"average_decay": 1.0}, "average_decay must be a number from 0 to less than 1, got 1.0"),
        ({"clahe_share": 1.2}, "clahe_share must be a number from 0 to 1, got 1.2"),
        ({"decay_share": 1.5}, "decay_share must be a number from 0 to 1, got 1.5"),
        (
            {"also_validated": (Share("synthetic"),)},
            "also_validated comes beside a validation data set; give validation too",
        ),
        ({"size": (288,)}, "size must be (height, width) in pixels, got (288,)"),
        ({"crop": (0, 64)}, "crop must be (height, width) in pixels, got (0, 64)"),
        ({"precision": "float8"}, "precision must be one of float32, mixed_float16, mixed_bfloat16, got 'float8'"),
        ({"patience": 3}, "patience must be 1 epoch or more and needs a validation data set, got 3"),
    ],
)
def test_fields_out_of_range_are_refused_by_name(change, message):
    """What was expected and what came."""
    with pytest.raises(UsageError) as caught:
        replace(EXPERIMENT, **change)
    assert str(caught.value) == message


@pytest.mark.parametrize("weight", [0, -1.0, float("nan"), float("inf")])
def test_a_share_that_counts_nothing_is_refused(weight):
    """Its pixels must count something, or it were left out."""
    with pytest.raises(UsageError, match="share synthetic: loss_weight must be a number above 0, got "):
        Share("synthetic", loss_weight=weight)


def test_the_ends_of_the_ranges_are_allowed():
    """All pictures equalised, no average, no pictures."""
    replace(EXPERIMENT, clahe_share=1, average_decay=0, pictures_every=0, batch=1, crop=(32, 32))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EXPERIMENT = Experiment(name='a', shares=(), lerning_rate=1)", "unexpected keyword argument 'lerning_rate'"),
        ("EXPERIMENT = Experiment(name='a', shares=(), batch=0)", "config.py: batch must be a whole number from 1"),
        ("EXPERIMENT = 3", "a config must assign a train.config.Experiment to EXPERIMENT, got 3"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines; train/config.py says what can be set"),
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("EXPERIMENT = (", "SyntaxError: "),
    ],
)
def test_a_config_that_breaks_is_one_line_with_its_name(tmp_path, text, message):
    """Whatever is wrong with the file."""
    path = tmp_path / "config.py"
    path.write_text(f"from train.config import Experiment\n{text}\n")
    with pytest.raises(UsageError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

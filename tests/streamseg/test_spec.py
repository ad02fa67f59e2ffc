"""A model's description survives JSON and TOML, and every mistake in it is one line that says what to mend."""

import json

import pytest

from streamseg.errors import ModelError
from streamseg.spec import Clahe, ModelSpec, SegmentClass, TensorRules

SPEC = ModelSpec(
    "fcn8s-test", 288, 512, (SegmentClass(0, "sky", (1, 2, 3)), SegmentClass(1, "road", (4, 5, 6))),
    channel_order="rgb", resize="area", clahe=Clahe(3.0, (4, 6)), training={"data": "CamVid"}, licence="CC BY-NC",
    tensors=TensorRules(input_name="x", layout="nchw", input_dtype="float32", mean=(1.0, 2.0, 3.0), output="logits"),
)  # fmt: skip


def test_json_and_back_is_the_same_description():
    """Nothing is lost on the way through the model file."""
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC


def test_classes_are_written_as_id_name_and_colour():
    """The form that other programs read."""
    assert json.loads(SPEC.to_json())["classes"][1] == {"id": 1, "name": "road", "color": [4, 5, 6]}


def test_a_toml_file_may_leave_out_ids_and_defaults():
    """As little as one must write by hand: name, size and classes."""
    classes = '[{ name = "a", color = [0, 0, 0] }, { name = "b", color = [9, 9, 9] }]'
    text = f'name = "m"\nheight = 4\nwidth = 6\nclasses = {classes}'
    spec = ModelSpec.from_toml(text)
    assert [each.id for each in spec.classes] == [0, 1]
    assert spec.tensors == TensorRules()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": None}, "width must be a whole number from 1 to 16384, got None"),
        ({"height": 0}, "height must be a whole number from 1 to 16384, got 0"),
        ({"hieght": 5}, "there is no field 'hieght'; did you mean 'height'?"),
        ({"classes": []}, "list of classes is empty"),
        ({"classes": [{"id": 1, "name": "a", "color": [0, 0, 0]}]}, "got id 1"),
        ({"classes": [{"id": 0, "name": "a", "color": [0, 300, 0]}]}, "three numbers 0..255"),
        ({"channel_order": "rbg"}, "channel_order must be bgr or rgb, got 'rbg'"),
        ({"tensors": {"layout": "hwc"}}, "layout must be nhwc or nchw"),
        ({"spec_version": 99}, "update streamseg"),
    ],
)
def test_a_mistake_is_named(change, said):
    """Each wrong field is one line with the value found."""
    plain = SPEC.to_dict() | change
    with pytest.raises(ModelError, match=said) as caught:
        ModelSpec.from_dict(plain)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"name": "x"}'])
def test_text_that_is_no_description_is_refused(text):
    """Broken JSON and JSON of something else alike."""
    with pytest.raises(ModelError):
        ModelSpec.from_json(text)


def test_broken_toml_is_refused_by_name():
    """The file is named, so that one knows which to mend."""
    with pytest.raises(ModelError, match=r"m\.toml: not TOML"):
        ModelSpec.from_toml("= 1", "m.toml")

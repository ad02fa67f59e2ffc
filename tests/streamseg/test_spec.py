"""A model's description survives JSON and TOML, and every mistake in it is one line that says what to mend."""

import json
import re

import pytest

from streamseg.errors import ModelError
from streamseg.spec import Clahe, Head, ModelSpec, SegmentClass, TensorRules

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


TABLE = """name = "two"
height = 64
width = 96
classes = [
    { name = "background", color = [40, 30, 60] },
    { name = "road", color = [120, 200, 60] },
]
[tensors]
input_dtype = "float32"
scale = 0.00392156862745098
output = "logits"
"""
"""A whole description, to be spoiled in one place."""


def refusal(text: str) -> str:
    """What is said of a description that is refused: always one line."""
    with pytest.raises(ModelError) as caught:
        ModelSpec.from_toml(text, "'two.toml'")
    said = str(caught.value)
    assert said.startswith("'two.toml': ")
    assert said.isprintable()
    return said.removeprefix("'two.toml': ")


@pytest.mark.parametrize(
    ("clahe", "said"),
    [
        ("{ tiles = [-8, -8] }", "clahe.tiles[0] must be a whole number from 1 to 256, got -8"),
        ("{ tiles = [8, 0] }", "clahe.tiles[1] must be a whole number from 1 to 256, got 0"),
        ("{ tiles = [8] }", "clahe.tiles must be two whole numbers, rows and columns, got [8]"),
        ("{ tiles = [8, 8, 8] }", "clahe.tiles must be two whole numbers, rows and columns, got [8, 8, 8]"),
        ("{ tiles = [8.0, 8.0] }", "clahe.tiles[0] must be a whole number from 1 to 256, got 8.0"),
        ("{ tiles = [100000, 100000] }", "clahe.tiles[0] must be a whole number from 1 to 256, got 100000"),
        ("{ clip_limit = nan }", "clahe.clip_limit must be a number above 0 up to 256, got nan"),
        ("{ clip_limit = inf }", "clahe.clip_limit must be a number above 0 up to 256, got inf"),
        ("{ clip_limit = -5 }", "clahe.clip_limit must be a number above 0 up to 256, got -5"),
        ("{ tile = [8, 8] }", "there is no field 'tile' in clahe; did you mean 'tiles'?"),
        ("true", "clahe must be a table with clip_limit and tiles, got True"),
    ],
)
def test_clahe_is_checked_before_compiled_code_reads_it(clahe, said):
    """A grid of no or of negative tiles would read outside its array."""
    assert refusal(TABLE.replace("[tensors]", f"clahe = {clahe}\n[tensors]")) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("std = [0, 0, 0]", "tensors.std[0] must be a number above 0, got 0"),
        ("std = [nan, 1, 1]", "tensors.std[0] must be a number above 0, got nan"),
        ("std = [1, 1]", "tensors.std must be three numbers, one a channel, got [1, 1]"),
        ("mean = [nan, 0, 0]", "tensors.mean[0] must be a number, got nan"),
        ("mean = [0, inf, 0]", "tensors.mean[1] must be a number, got inf"),
        ("mean = 0.5", "tensors.mean must be three numbers, one a channel, got 0.5"),
        ("mean = [true, 0, 0]", "tensors.mean[0] must be a number, got True"),
        ("scale = nan", "tensors.scale must be a number above 0, got nan"),
        ("scale = inf", "tensors.scale must be a number above 0, got inf"),
        ("scale = 0.0", "tensors.scale must be a number above 0, got 0.0"),
        ('scale = "1/255"', "tensors.scale must be a number above 0, got '1/255'"),
        ('output_layot = "nchw"', "there is no field 'output_layot' in tensors; did you mean 'output_layout'?"),
        ('output_layout = "chw"', "tensors.output_layout must be nhwc or nchw, got 'chw'"),
        ("input_name = 5", "tensors.input_name must be a text of 1 to 200 letters, got 5"),
        ("threshold = nan", "tensors.threshold must be a number, got nan"),
    ],
)
def test_what_pixels_are_divided_by_is_checked(line, said):
    """Each with the field, what it may be and what it was."""
    key = line.split(" ", maxsplit=1)[0]
    others = "\n".join(each for each in TABLE.splitlines() if not each.startswith(f"{key} "))
    assert refusal(f"{others}\n{line}\n") == said


@pytest.mark.parametrize(
    ("road", "said"),
    [
        ("name = 7", "classes[1]: a class's name must be a text of 1 to 200 letters, got 7"),
        ('name = ["road"]', "classes[1]: a class's name must be a text of 1 to 200 letters, got ['road']"),
        ('name = ""', "classes[1]: a class's name must be a text of 1 to 200 letters, got ''"),
        (
            'name = "Background"',
            "the class name 'Background' must be given once, got it for ids 0 and 1; "
            "upper and lower case count as the same",
        ),
        (
            'name = "a\\u001b[31mb"',
            "classes[1]: a class's name must be a text without control characters, got 'a\\x1b[31mb'",
        ),
        ('name = "road", id = 1.0', "classes[1]: a class's id must be a whole number from 0 to 254, got 1.0"),
        ('name = "road", id = true', "classes[1]: a class's id must be a whole number from 0 to 254, got True"),
        ('name = "road", id = -1', "classes[1]: a class's id must be a whole number from 0 to 254, got -1"),
        ('name = "road", id = 255', "classes[1]: a class's id must be a whole number from 0 to 254, got 255"),
        ('name = "road", id = 0', "class ids must be 0, 1, 2, ... in order, got id 0 ('road') in place 1"),
        ('nam = "road"', "there is no field 'nam' in classes[1]; did you mean 'name'?"),
    ],
)
def test_classes_are_checked(road, said):
    """Names are printed, drawn and columns of a table; ids are places in compiled tables."""
    assert refusal(TABLE.replace('name = "road"', road)) == said


@pytest.mark.parametrize("color", ["[1, 2]", "[1, 2, 3, 4]", "[1, 2, 256]", "[1.0, 2, 3]", "[true, 2, 3]", '"red"'])
def test_a_color_is_three_numbers(color):
    """Of 0..255; the class is named."""
    said = refusal(TABLE.replace("[120, 200, 60]", color))
    assert "the color of 'road' must be three numbers 0..255, red, green and blue, got" in said


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        ("height = 64", "height = true", "height must be a whole number from 1 to 16384, got True"),
        ("height = 64", "height = 64.0", "height must be a whole number from 1 to 16384, got 64.0"),
        ("width = 96", "width = 1000000", "width must be a whole number from 1 to 16384, got 1000000"),
        ("width = 96", "", "the field 'width' is missing"),
        ('name = "two"', "name = 5", "name must be a text of 1 to 200 letters, got 5"),
        ('name = "two"', 'name = "two"\nlicence = 5', "licence must be a text, got 5"),
        ('name = "two"', 'name = "two"\ntraining = "long"', "training must be facts with names, got 'long'"),
        ('name = "two"', 'name = "two"\nignore = 1.5', "ignore must be a whole number from -2147483648"),
        ("[tensors]", "[[tensors]]", "tensors must be a table, written [tensors] with one bracket, got [{"),
        ("classes = [", 'classes = ["road"]\nx = [', "there is no field 'x'"),
    ],
)  # fmt: skip
def test_other_fields_are_checked(found, put, said):
    """Sizes, names, and whether a table is one."""
    assert refusal(TABLE.replace(found, put)).startswith(said)


def test_a_list_of_names_is_told_what_a_class_looks_like():
    """The example can be copied."""
    text = TABLE.replace(TABLE[TABLE.index("classes") : TABLE.index("[tensors]")], 'classes = ["background", "road"]\n')
    said = "classes[0] must be a table such as { name = \"road\", color = [128, 64, 128] }, got 'background'"
    assert refusal(text) == said


def test_one_class_by_the_largest_logit_is_refused():
    """It would be everywhere; the way to a threshold is named."""
    line = '    { name = "background", color = [40, 30, 60] },\n'
    assert refusal(TABLE.replace(line, "")) == (
        'classes must be at least two for output = "logits", where the largest wins, got 1; for one channel write '
        'output = "sigmoid", or "probability" if the graph has the sigmoid inside'
    )


def test_a_threshold_of_a_sigmoid_is_a_probability():
    """The way to compare raw values is named, and is one."""
    text = TABLE.replace('"logits"', '"sigmoid"') + "threshold = 0.0\n"
    assert 'output = "probability" compares the values as they come' in refusal(text)
    assert ModelSpec.from_toml(text.replace("sigmoid", "probability")).tensors.threshold == 0.0


HEAD = '[[heads]]\noutput_name = "lines"\n'


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        (HEAD + 'classes = ["", "rod"]', "classes of the head 'lines' must be '' or of background, road, got 'rod'"),
        (HEAD + 'classes = "road"', "classes of the head 'lines' must be a list of class names"),
        (HEAD + 'classes = ["road"]', "classes of the head 'lines' must be at least two for output"),
        (HEAD, "the field 'classes' of heads[0] is missing"),
        (HEAD + 'clases = ["road"]', "there is no field 'clases' in heads[0]; did you mean 'classes'?"),
        ("[heads]\na = 1", "heads must be a list of tables, written [[heads]] with two brackets"),
    ],
)
def test_heads_are_checked(heads, said):
    """Their classes are the model's."""
    assert refusal(TABLE + heads).startswith(said)


def test_heads_and_an_output_name_exclude_each_other():
    """Which of the two would be meant?"""
    text = TABLE + 'output_name = "y"\n' + HEAD + 'classes = ["", "road"]'
    assert refusal(text) == "tensors.output_name and heads must not both be given; leave output_name out"


def test_heads_ignore_and_thresholds_survive_json():
    """And are left out where they say nothing, so that an older streamseg reads the rest."""
    text = TABLE.replace("height", "ignore = 19\nheight", 1) + f"threshold = 0.7\n{HEAD}classes = ['', 'road']"
    spec = ModelSpec.from_toml(text)
    assert spec.heads == (Head("lines", ("", "road")),)
    assert spec.ignore == 19
    assert ModelSpec.from_json(spec.to_json()) == spec
    plain = SPEC.to_dict()
    assert not {"heads", "ignore"} & set(plain)
    assert not {"threshold", "output_layout"} & set(plain["tensors"])


@pytest.mark.parametrize(
    ("tensors", "doubt"),
    [
        ("scale = 0.00392156862745098\nmean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]", None),
        ("mean = [123.675, 116.28, 103.53]\nstd = [58.395, 57.12, 57.375]", None),
        ("mean = [123.0, 117.0, 104.0]", None),
        ("scale = 0.00784313725490196\nmean = [1.0, 1.0, 1.0]", None),
        (
            "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]",
            "from -2.118 to 1136, .* write scale = 0.0039",
        ),
        ("", "from 0 to 255, usual is about -3 to 3; .* write scale = 0.00392156862745098 in"),
        ("scale = 0.00392156862745098\nmean = [123.0, 117.0, 104.0]\nstd = [58.0, 57.0, 57.0]", "leave scale out"),
        ("scale = 0.00001", "from 0 to 0.00255, .* write scale = 0.0039"),
    ],
)
def test_an_implausible_range_of_the_input_is_doubted(tensors, doubt):
    """A mean of pixels / 255 without the division gives a few per cent right labels, and no error."""
    text = TABLE.replace("scale = 0.00392156862745098\n", "") + tensors
    doubts = ModelSpec.from_toml(text).doubts
    assert len(doubts) == (doubt is not None)
    assert doubt is None or re.search(doubt, doubts[0])
    assert ModelSpec.from_toml(TABLE.replace('"float32"', '"uint8"')).doubts == ()


def test_a_palette_gives_what_classes_lack():
    """All of them, or names by place and colours by name; what is written wins."""
    start = 'name = "m"\nheight = 64\nwidth = 96\npalette = "cityscapes"\n'
    whole = ModelSpec.from_toml(start)
    assert [each.name for each in whole.classes][:3] == ["road", "sidewalk", "building"]
    assert whole.classes[13] == SegmentClass(13, "car", (0, 0, 142))
    own = ModelSpec.from_toml(
        f'{start}classes = [{{ color = [1, 2, 3] }}, {{ name = "Car" }}, {{ name = "x", color = [4, 5, 6] }}]'
    )
    assert own.classes == (
        SegmentClass(0, "road", (1, 2, 3)), SegmentClass(1, "Car", (0, 0, 142)), SegmentClass(2, "x", (4, 5, 6)),
    )  # fmt: skip
    assert "the palette has no class of that name" in refusal(f'{start}classes = [{{ name = "x" }}]')
    assert (
        refusal(start.replace("cityscapes", "citscapes"))
        == "there is no palette 'citscapes'; did you mean 'cityscapes'?"
    )
    assert refusal(start.replace('"cityscapes"', "['a']")) == "palette must be a text of 1 to 200 letters, got ['a']"


@pytest.mark.parametrize("text", ["x = " + "[" * 20_000, "x = [" * 3])
def test_toml_that_never_ends_is_refused(text):
    """Brackets in brackets as well."""
    assert refusal(text).startswith("not TOML (")


@pytest.mark.parametrize(
    ("json_text", "said"),
    [
        ("[" * 100_000, "not JSON (brackets in brackets without end)"),
        (
            SPEC.to_json().replace("fcn8s-test", "\\ud800"),
            "name must be a text without control characters, got '\\ud800'",
        ),
        (SPEC.to_json().replace('"CamVid"', "NaN"), "training.data must be a finite number, got nan"),
        (SPEC.to_json().replace('"CamVid"', "[" * 30 + "]" * 30), "at most 16 tables or lists deep"),
        (
            SPEC.to_json().replace('{"data": "CamVid"}', '["CamVid"]'),
            "training must be facts with names, got ['CamVid']",
        ),
    ],
)
def test_an_embedded_description_is_held_to_the_same(json_text, said):
    """Nesting without end, letters that no terminal prints, numbers that JSON does not have."""
    with pytest.raises(ModelError) as caught:
        ModelSpec.from_json(json_text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_facts_are_cleaned_for_the_terminal():
    """Escape sequences, line ends and dates in what is only ever printed."""
    text = TABLE.replace(
        "[tensors]", 'licence = "a\\u001b[31m\\nb"\ntraining = { day = 2026-11-30, note = "\\u0007x" }\n[tensors]'
    )
    spec = ModelSpec.from_toml(text)
    assert spec.licence == "a?[31m b"
    assert spec.training == {"day": "2026-11-30", "note": "?x"}

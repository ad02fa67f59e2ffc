"""`streamseg describe` drafts a description that runs, and says how to convert what cannot."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from onnx import TensorProto

from streamseg.backends import DEFAULT_MODEL, find_model, load_backend
from streamseg.backends.draft import draft
from streamseg.errors import ModelError
from streamseg.palettes import palette
from streamseg.spec import ModelSpec
from tests.foreign_models import (
    FLOAT,
    HALF,
    HEIGHT,
    LAST_LOGITS,
    TWO_LOGITS,
    WIDTH,
    bright_model,
    half_bright,
    two_logits,
)

SIGMOID = [("Sigmoid", ["d"], ["y"], {})]
GREATER = [("Greater", ["d", "zero"], ["g"], {}), ("Cast", ["g"], ["y"], {"to": TensorProto.INT64})]
ARGMAX = [
    *TWO_LOGITS[:1],
    ("Concat", ["n", "d"], ["c"], {"axis": 1}),
    ("ArgMax", ["c"], ["y"], {"axis": 1, "keepdims": 0}),
]


def drafted(path):
    """The description that is drafted, read as one beside a model is."""
    return ModelSpec.from_toml(draft(path))


@pytest.mark.slow
def test_from_a_bare_file_to_a_run(streamseg, tmp_path):
    """Describe, put it beside the model, run: bright is class 1."""
    path = two_logits(tmp_path / "mynet.onnx")
    done = streamseg("describe", path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[:3] == [
        "# Drafted from mynet.onnx; mind the lines with a question mark.",
        "# input   image  1x3x64x96 float",
        "# output  y  1x2x64x96 float",
    ]
    path.with_suffix(".toml").write_text(done.out)
    ran = streamseg("run", "synthetic:96x64,frames=2", "null:", "--model", path, "--device", "cpu")
    assert ran.code == 0, ran.err
    labels = load_backend(path, "cpu").infer(half_bright())[0]
    assert (labels[:, : WIDTH // 2] == 0).all()
    assert (labels[:, WIDTH // 2 :] == 1).all()


def test_powershells_way_of_writing_is_read(tmp_path):
    """`>` writes UTF-16 there; other editors begin UTF-8 with a mark."""
    path = two_logits(tmp_path / "mynet.onnx")
    text = draft(path).replace("\n", "\r\n")
    for coding in ("utf-16", "utf-8-sig", "utf-8"):
        path.with_suffix(".toml").write_bytes(text.encode(coding))
        assert load_backend(path, "cpu").spec.name == "mynet"
    path.with_suffix(".toml").write_bytes(text.encode("utf-16-le"))
    with pytest.raises(ModelError, match=r"mynet\.toml' must be text in UTF-8, got UTF-16 without a byte order mark"):
        load_backend(path, "cpu")
    path.with_suffix(".toml").write_bytes(text.replace("mynet", "straße", 1).encode("latin-1"))
    with pytest.raises(ModelError, match=r"mynet\.toml' must be text in UTF-8, got other bytes in line 1; save it as"):
        load_backend(path, "cpu")


@pytest.mark.parametrize(
    ("steps", "output", "kind"),
    [
        (TWO_LOGITS, ("y", FLOAT, [1, 2, HEIGHT, WIDTH]), "logits"),
        (LAST_LOGITS, ("y", FLOAT, [1, HEIGHT, WIDTH, 2]), "logits"),
        (SIGMOID, ("y", FLOAT, [1, 1, HEIGHT, WIDTH]), "sigmoid"),
        (GREATER, ("y", TensorProto.INT64, [1, 1, HEIGHT, WIDTH]), "labels"),
        (ARGMAX, ("y", TensorProto.INT64, [1, HEIGHT, WIDTH]), "labels"),
    ],
    ids=["logits", "logits that come last", "sigmoid", "labels", "labels of three dimensions"],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_the_kind_of_output_and_the_layouts_are_found(tmp_path, steps, output, kind, layout):
    """From shapes, types and the last step of the graph; the draft holds against the graph and runs."""
    path = bright_model(tmp_path / "net.onnx", steps, [output], layout=layout)
    spec = drafted(path)
    assert (spec.height, spec.width) == (HEIGHT, WIDTH)
    assert spec.tensors.output == kind
    assert spec.tensors.layout == layout
    path.with_suffix(".toml").write_text(draft(path))
    assert load_backend(path, "cpu").infer(half_bright()).shape == (1, HEIGHT, WIDTH)


def test_half_precision_is_a_float(tmp_path):
    """The description says the same for every float."""
    path = bright_model(tmp_path / "net.onnx", TWO_LOGITS, [("y", HALF, [1, 2, HEIGHT, WIDTH])], kind=HALF)
    assert drafted(path).tensors.input_dtype == "float32"


def test_names_and_size_are_taken_from_ultralytics_metadata(tmp_path):
    """Where the graph leaves the size open too; its networks take pixels / 255 and nothing else."""
    metadata = {"names": "{0: 'road', 1: 'lane'}", "imgsz": "[64, 96]", "task": "semantic", "license": "AGPL-3.0"}
    path = bright_model(
        tmp_path / "net.onnx",
        TWO_LOGITS,
        [("y", FLOAT, ["n", 2, "h", "w"])],
        size=("h", "w"),
        batch="n",
        metadata=metadata,
    )
    spec = drafted(path)
    assert [each.name for each in spec.classes] == ["road", "lane"]
    assert (spec.height, spec.width) == (64, 96)
    assert spec.tensors.mean == (0, 0, 0)
    assert spec.licence == "AGPL-3.0"


def test_what_metadata_says_cannot_break_the_draft(tmp_path):
    """Line ends, escape sequences, names given twice, and what is no list of names at all."""
    names = {0: "a\n[tensors]\nx = 1", 1: 'b"\x1b[31m'}
    for given in (repr(names), "['same', 'same']", "{0: 5}", "__import__('os')", "[" * 5000, "{0: 'one'}"):
        path = two_logits(tmp_path / "net.onnx", metadata={"names": given, "imgsz": "[[1]]"})
        spec = drafted(path)
        assert len(spec.classes) == 2
        assert all(each.name.isprintable() for each in spec.classes)


def test_configurations_beside_a_model_are_read(tmp_path):
    """As Hugging Face's exporter writes them."""
    path = two_logits(tmp_path / "model.onnx")
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "sidewalk", "1": "car"}}))
    normalising = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "size": {"height": 1, "width": 2}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(normalising))
    spec = drafted(path)
    assert [(each.name, each.color_rgb) for each in spec.classes] == [
        ("sidewalk", (244, 35, 232)),
        ("car", (0, 0, 142)),
    ]
    assert (spec.tensors.mean, spec.tensors.std) == ((0.5,) * 3, (0.25,) * 3)
    assert (spec.height, spec.width) == (HEIGHT, WIDTH)  # the graph knows better


@pytest.mark.parametrize(("classes", "name"), [(19, "cityscapes"), (21, "voc"), (150, "ade20k"), (65, "mapillary")])
def test_a_usual_number_of_classes_suggests_a_palette(tmp_path, classes, name):
    """With a question mark, since the order may be another."""
    steps = [*TWO_LOGITS[:1], ("Concat", ["n", *["d"] * (classes - 1)], ["y"], {"axis": 1})]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", FLOAT, [1, classes, HEIGHT, WIDTH])])
    assert f'palette = "{name}"  # ?' in draft(path)
    assert [(each.name, each.color_rgb) for each in drafted(path).classes] == list(palette(name))


def test_other_numbers_of_classes_get_colors_that_differ(tmp_path):
    """Nobody has to write them by hand to see something."""
    steps = [*TWO_LOGITS[:1], ("Concat", ["n", *["d"] * 39], ["y"], {"axis": 1})]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", FLOAT, [1, 40, HEIGHT, WIDTH])])
    spec = drafted(path)
    assert len({each.color_rgb for each in spec.classes}) == 40


def test_two_heads_are_drafted_as_such(tmp_path):
    """Drivable area and lanes, by the names of the outputs; boxes beside them are left alone."""
    steps = [*TWO_LOGITS[:1], ("Concat", ["n", "d"], ["drive_area_seg"], {"axis": 1}),
             ("Concat", ["n", "d"], ["lane_line_seg"], {"axis": 1}),
             ("ReduceMean", ["d"], ["det_out"], {"axes": [1], "keepdims": 0})]  # fmt: skip
    two = [1, 2, HEIGHT, WIDTH]
    outputs = [("det_out", FLOAT, [1, HEIGHT, WIDTH]), ("drive_area_seg", FLOAT, two), ("lane_line_seg", FLOAT, two)]
    path = bright_model(tmp_path / "net.onnx", steps, outputs)
    spec = drafted(path)
    assert [each.name for each in spec.classes] == ["background", "drivable", "lane"]
    assert [(each.output_name, each.classes) for each in spec.heads] == [
        ("drive_area_seg", ("background", "drivable")),
        ("lane_line_seg", ("", "lane")),
    ]
    path.with_suffix(".toml").write_text(draft(path))
    labels = load_backend(path, "cpu").infer(half_bright())[0]
    assert np.unique(labels).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("outputs", "things"),
    [
        (("da", "ll"), ["drivable", "lane"]),
        (("lane_a", "lane_b"), ["lane", "lane 2"]),
        (("0", "1"), ["thing 1", "thing 2"]),
    ],
)
def test_heads_are_named_after_their_outputs(tmp_path, outputs, things):
    """By what is usual; no two the same, and numbered where the name says nothing."""
    steps = [*TWO_LOGITS[:1], *(("Concat", ["n", "d"], [name], {"axis": 1}) for name in outputs)]
    path = bright_model(tmp_path / "net.onnx", steps, [(name, FLOAT, [1, 2, HEIGHT, WIDTH]) for name in outputs])
    assert [each.name for each in drafted(path).classes] == ["background", *things]


def test_an_auxiliary_output_is_left_out(tmp_path):
    """It is there to train the network."""
    steps = [
        *TWO_LOGITS[:1],
        ("Concat", ["d", "n"], ["aux"], {"axis": 1}),
        ("Concat", ["n", "d"], ["out"], {"axis": 1}),
    ]
    shape = [1, 2, HEIGHT, WIDTH]
    path = bright_model(tmp_path / "net.onnx", steps, [("aux", FLOAT, shape), ("out", FLOAT, shape)])
    assert drafted(path).tensors.output_name == "out"


def test_a_graph_that_normalises_by_itself_is_noticed(tmp_path):
    """It begins by subtracting or dividing, so it is given pixels as numbers."""
    steps = [("Mul", ["image", "gain"], ["scaled"], {}), *TWO_LOGITS]
    path = bright_model(tmp_path / "net.onnx", steps, [("y", FLOAT, [1, 2, HEIGHT, WIDTH])])
    assert "scale = 1.0  # ? the graph begins with Mul" in draft(path)


def test_a_detector_is_refused(tmp_path):
    """Boxes are no classes of pixels; its outputs and task stand in the line."""
    steps = [("ReduceMean", ["d"], ["output0"], {"axes": [1], "keepdims": 0})]
    path = bright_model(
        tmp_path / "net.onnx", steps, [("output0", FLOAT, [1, HEIGHT, WIDTH])], metadata={"task": "detect"}
    )
    with pytest.raises(
        ModelError, match=r"of task 'detect' must have an output with a class for each pixel, has: outp"
    ):
        draft(path)


def test_a_model_that_describes_itself_says_the_same_in_toml():
    """But for facts of its training."""
    own = load_backend(device="cpu").spec
    spec = drafted(find_model())
    assert spec.classes == own.classes
    assert (spec.name, spec.clahe, spec.tensors, spec.channel_order) == (DEFAULT_MODEL, own.clahe, own.tensors, "bgr")


def test_an_openvino_model_is_described_without_openvino(streamseg, tmp_path):
    """Its text is read; inputs, outputs and the last step are the same as in ONNX."""
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    for name, steps, output in (
        ("two", TWO_LOGITS, ("y", FLOAT, [1, 2, HEIGHT, WIDTH])),
        ("sigmoid", SIGMOID, ("y", FLOAT, [1, 1, HEIGHT, WIDTH])),
        ("labels", GREATER, ("y", TensorProto.INT64, [1, 1, HEIGHT, WIDTH])),
    ):
        path = bright_model(tmp_path / f"{name}.onnx", steps, [output])
        openvino.save_model(openvino.Core().read_model(path), tmp_path / f"{name}.xml", compress_to_fp16=False)
        lines = [draft(each).splitlines()[1:] for each in (path, tmp_path / f"{name}.xml")]
        assert lines[0] == lines[1]
    assert streamseg("describe", tmp_path / "two.xml").code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net.pt", "is a PyTorch file; export it with torch.onnx.export (Ultralytics: yolo export model=net.pt"),
        ("net.PTH", "is a PyTorch file; export it with torch.onnx.export"),
        ("net.tflite", "python -m tf2onnx.convert --tflite net.tflite --output net.onnx"),
        ("net.keras", "model.export('net.onnx', format='onnx') in Keras 3"),
        ("net.h5", "model.export('net.onnx', format='onnx') in Keras 3"),
        ("net.engine", "is built for one GPU and one version of TensorRT; use the ONNX file it was built from"),
        ("net.mlmodel", "is for Apple's Core ML"),
        ("net.safetensors", "is weights without a graph"),
        ("net.bin", "is weights alone; name the .xml file beside them"),
    ],
)  # fmt: skip
def test_what_has_to_be_converted_is_told_how(tmp_path, name, said):
    """In one line, whether it is to be described or run."""
    path = tmp_path / name
    path.write_bytes(os.urandom(100))
    for ask in (draft, load_backend):
        with pytest.raises(ModelError) as caught:
            ask(path)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_every_command_that_takes_a_model_says_how_to_convert_it(streamseg, tmp_path):
    """Exit code 4 and nothing else."""
    (tmp_path / "net.pt").write_bytes(os.urandom(100))
    run = ("run", "synthetic:64x64,frames=1", "null:", "--model", "net.pt")
    for command in (("describe", "net.pt"), ("info", "net.pt"), run):
        done = streamseg(*command)
        assert done.code == 4, done
        assert "is a PyTorch file; export it with torch.onnx.export" in done.err
        assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"<net/>", b"<net><layers><layer id='1'/></layers></net>", b"<a>" * 20_000, b"\xff\xfe<net/>"],
    ids=["empty", "text", "no layers", "no inputs", "nested", "wrong coding"],
)
def test_a_file_that_is_no_openvino_model_is_one_line(tmp_path, content):
    """Whatever ends in .xml."""
    (tmp_path / "net.xml").write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.xml'") as caught:
        draft(tmp_path / "net.xml")
    assert "\n" not in str(caught.value)


def test_names_in_a_graph_reach_no_terminal_as_they_are(tmp_path):
    """Nor do they end a line of the draft."""
    path = bright_model(tmp_path / "net.onnx", TWO_LOGITS, [("y", FLOAT, [1, 2, HEIGHT, WIDTH])])
    content = path.read_bytes().replace(b"image", b"im\x1b[3")  # a name with an escape sequence, of the same length
    path.write_bytes(content)
    assert "\x1b" not in draft(path)

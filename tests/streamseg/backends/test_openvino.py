"""OpenVINO runs the same files and gives the same labels."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from streamseg.backends import find_model, load_backend
from streamseg.backends.compiled_cache import known_picture, read_compiled, write_compiled
from streamseg.backends.openvino import OpenVinoBackend
from streamseg.errors import ModelError
from streamseg.sources import open_source
from tests.builders import logits_model, sure_model
from tests.streamseg.backends.foreign import TOML

pytest.importorskip("openvino", reason="OpenVINO is not installed")


def openvino(model, precision="fp32", **options):
    """A backend in OpenVINO."""
    return load_backend(model, "openvino", precision=precision, **options)


@pytest.mark.slow
def test_it_gives_onnxruntimes_labels_on_the_built_in_scene():
    """But for ties that rounding decides; and the device says what runs, and in what."""
    plain, backend = load_backend(device="cpu"), openvino(find_model())
    assert backend.device == "openvino:CPU fp32"
    with open_source("synthetic:512x288,frames=3") as source:
        batch = np.stack([frame.bgr() for frame in source])
    labels = backend.infer(batch)
    assert labels.dtype == np.uint8
    assert np.mean(labels == plain.infer(batch)) > 0.9999


@pytest.mark.slow
def test_mixed_keeps_more_labels_than_bf16():
    """Its first layers are in fp32: on the built-in scene 99.5 % of the labels stay, and more than in bf16 alone."""
    with open_source("synthetic:512x288,frames=40") as source:
        batch = np.stack([frame.bgr() for frame in source if frame.index % 13 == 0])
    truth = load_backend(device="cpu").infer(batch)
    shares = {}
    for precision in ("bf16", "mixed"):
        try:
            backend = openvino(find_model(), precision)
        except ModelError as error:
            assert "this processor does not have bf16" in str(error)
            pytest.skip("this processor has no bf16")
        assert backend.device == f"openvino:CPU {precision}"
        shares[precision] = np.mean(backend.infer(batch) == truth)
    assert shares["mixed"] >= 0.995
    assert shares["mixed"] > shares["bf16"]


@pytest.mark.slow
def test_nothing_is_told_to_openvinos_makers():
    """Its converter, which sends word of every import, is not imported; whoever wants it still can."""
    program = """
import sys
from streamseg import load_backend
load_backend(device="openvino", precision="fp32")
print([each for each in sys.modules if "telemetry" in each or each.startswith("openvino.tools.ovc")])
from openvino.tools.ovc import convert_model
"""
    environment = os.environ | {"CI": "true"}  # the converter's own word for keeping still, for the last line
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_mixed_needs_a_network_with_convolutions(model):
    """One without has no place for the change."""
    with pytest.raises(ModelError, match=r"convolutions; fp32 is for all|this processor does not have bf16"):
        openvino(model, "mixed")


def test_a_whole_graph_gives_labels_that_last(model):
    """What one call gave is not changed by the next."""
    backend = openvino(model)
    first = backend.infer(np.full((2, 48, 64, 3), 250, np.uint8))
    backend.infer(np.zeros((1, 48, 64, 3), np.uint8))
    assert np.array_equal(first, np.full((2, 48, 64), 2))


def test_frames_may_lie_in_memory_as_they_like(model):
    """Mirrored, cut out of larger ones, read-only: the labels are those of a copy."""
    backend = openvino(model)
    rng = np.random.default_rng(3)
    large = rng.integers(0, 256, (2, backend.spec.height, 2 * backend.spec.width, 3), np.uint8)
    cut = large[:, :, ::-2]
    frozen = np.ascontiguousarray(cut)
    frozen.flags.writeable = False
    assert np.array_equal(backend.infer(cut), backend.infer(cut.copy()))
    assert np.array_equal(backend.infer(frozen), backend.infer(cut.copy()))


def test_a_foreign_model_runs_with_a_toml_beside_it(tmp_path):
    """Float planes in, logits out."""
    path = logits_model(tmp_path / "elsewhere.onnx")
    path.with_suffix(".toml").write_text(TOML)
    backend = openvino(path)
    values = [np.full((1, 48, 64, 3), value, np.uint8) for value in (10, 128, 250)]
    assert [int(backend.infer(value)[0, 0, 0]) for value in values] == [0, 1, 2]


def test_labels_and_confidence_come_together(tmp_path):
    """As from onnxruntime."""
    path = sure_model(tmp_path / "sure.onnx")
    batch = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), np.uint8)
    for ours, theirs in zip(
        openvino(path).infer_with_confidence(batch),
        load_backend(path, "cpu").infer_with_confidence(batch),
        strict=True,
    ):
        assert np.array_equal(ours, theirs)


def test_every_thread_gets_its_own_labels(model):
    """Four threads on two streams, many calls each."""
    backend = openvino(model, streams=2)
    assert backend.streams == 2

    def calls(value):
        batch = np.full((1, 48, 64, 3), value, np.uint8)
        return [set(backend.infer(batch).ravel().tolist()) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(calls, (10, 128, 250, 10)))
    assert found == [[{label}] * 50 for label in (0, 1, 2, 0)]


def test_a_file_that_is_no_model_is_one_line(tmp_path):
    """With the file's name."""
    path = tmp_path / "not.onnx"
    path.write_text("this is text")
    with pytest.raises(ModelError, match=r"not\.onnx' is not an ONNX model") as caught:
        openvino(path)
    assert "\n" not in str(caught.value)


def test_a_model_that_openvino_cannot_load_is_one_line(tmp_path):
    """The reason is OpenVINO's, cut short."""
    path = find_model()
    content = path.read_bytes().replace(b"ArgMax", b"ArgMux").replace(b"GlobalAveragePool", b"GlobalAveragePuul")
    (tmp_path / "odd.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"odd\.onnx' is not an ONNX model that OpenVINO can load") as caught:
        openvino(tmp_path / "odd.onnx")
    assert "\n" not in str(caught.value)


@pytest.fixture
def foreign_ir(tmp_path):
    """A model in OpenVINO's own form, described by a TOML beside it."""
    from openvino import Core, save_model

    logits_model(tmp_path / "elsewhere.onnx")
    path = tmp_path / "ir" / "elsewhere.xml"
    path.parent.mkdir()
    save_model(Core().read_model(str(tmp_path / "elsewhere.onnx")), str(path))
    path.with_suffix(".toml").write_text(TOML)
    return path


@pytest.fixture
def our_ir(tmp_path, model):
    """One of ours, whose description came along when it was converted."""
    from openvino import Core, save_model

    path = tmp_path / "ir" / "ours.xml"
    path.parent.mkdir()
    save_model(Core().read_model(str(model)), str(path))
    return path


@pytest.mark.parametrize("kind", ["foreign_ir", "our_ir"])
@pytest.mark.parametrize("device", ["auto", "openvino"])
def test_openvinos_own_form_runs(kind, device, request):
    """By itself too, since nothing else reads it."""
    backend = load_backend(request.getfixturevalue(kind), device, precision="fp32")
    assert backend.device == "openvino:CPU fp32"
    values = [np.full((1, 48, 64, 3), value, np.uint8) for value in (10, 128, 250)]
    assert [int(backend.infer(value)[0, 0, 0]) for value in values] == [0, 1, 2]
    assert backend.notes == ()


def test_openvinos_own_form_is_compared_with_itself_in_fp32(foreign_ir):
    """The trial of precisions has something to hold them to."""
    assert load_backend(foreign_ir).notes == ()


def test_openvinos_own_form_is_no_file_for_others(foreign_ir):
    """They say so, and who reads it."""
    with pytest.raises(ModelError, match=r"\.xml' is no file for onnxruntime, which reads \.onnx; \.xml is for o"):
        load_backend(foreign_ir, "cpu")


@pytest.mark.slow
def test_a_run_and_info_take_openvinos_own_form(streamseg, our_ir):
    """From the command line, as any model."""
    done = streamseg("run", "synthetic:128x64,frames=2", "null:", "--model", our_ir)
    assert (done.code, "on openvino:CPU" in done.out) == (0, True), done.err
    assert "name        threshold" in streamseg("info", our_ir).out


@pytest.mark.parametrize(
    "content", [b"", b"<net", b"<svg/>", b"\xff\xfe<", b'<?xml version="1.0" encoding="klingon"?><net/>']
)
def test_a_file_that_is_not_openvinos_is_one_line(foreign_ir, content):
    """Whatever it is."""
    foreign_ir.write_bytes(content)
    with pytest.raises(ModelError, match=r"elsewhere\.xml' is not an OpenVINO model") as caught:
        openvino(foreign_ir)
    assert "\n" not in str(caught.value)


def test_openvinos_own_form_without_its_weights_names_what_is_missing(foreign_ir):
    """They are in a file beside it."""
    foreign_ir.with_suffix(".bin").unlink()
    with pytest.raises(ModelError, match=r"its weights in 'elsewhere\.bin', which is not beside it; put it there"):
        openvino(foreign_ir)


def run_without_openvino(*arguments):
    """The command line where OpenVINO is not installed."""
    code = f"import sys; sys.modules['openvino'] = None\nfrom streamseg.cli import main\nsys.exit(main({arguments!r}))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_the_extra_the_way_out_is_said():
    """One line, exit code 4."""
    done = run_without_openvino("run", "synthetic:128x64,frames=2", "null:", "--device", "openvino")
    assert done.returncode == 4
    assert done.stderr == (
        "streamseg: device 'openvino' cannot be used: OpenVINO is not installed; install streamseg[openvino]; "
        "usable here: auto, cpu\n"
    )


@pytest.mark.slow
def test_without_the_extra_auto_takes_onnxruntime(model):
    """And says nothing of it."""
    done = run_without_openvino("run", "synthetic:128x64,frames=2", "null:", "--model", str(model))
    assert (done.returncode, done.stderr) == (0, "")
    assert "on cpu" in done.stdout


def test_onnxruntime_alone_loads_no_openvino():
    """It takes a quarter of a second."""
    code = "import sys; import streamseg; streamseg.load_backend(device='cpu'); print('openvino' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_a_run_says_that_openvino_ran(streamseg, model):
    """In the closing line; which precision is the fastest here is for a trial to say."""
    done = streamseg("run", "synthetic:128x64,frames=2", "null:", "--model", model, "--device", "openvino")
    assert done.code == 0, done.err
    assert "on openvino:CPU " in done.out


@pytest.fixture
def kept(tmp_path, monkeypatch, model):
    """A model, its backend as a cold cache gave it, and the one file in the cache."""
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "cache"))
    backend = openvino(model)
    (file,) = (tmp_path / "cache" / "openvino").iterdir()
    return model, backend, file


def _batch(backend):
    return known_picture(backend.spec.height, backend.spec.width)[None]


def test_what_was_compiled_is_taken_from_the_cache(kept, monkeypatch):
    """And gives the same labels; nothing is compiled, nothing is written."""
    model, backend, file = kept
    before = file.stat().st_mtime_ns
    monkeypatch.setattr(OpenVinoBackend, "_compiled_anew", None)
    assert np.array_equal(openvino(model).infer(_batch(backend)), backend.infer(_batch(backend)))
    assert file.stat().st_mtime_ns == before


def _hole(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    file.write_bytes(content)


def _cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def _nothing(file):
    file.write_bytes(b"")


def _other_labels(file):
    whole = read_compiled(file)
    write_compiled(file, whole.parts, 1 - np.minimum(whole.labels, 1))


def _no_network(file):
    write_compiled(file, [b"something else"], read_compiled(file).labels)


@pytest.mark.parametrize("damage", [_hole, _cut, _nothing, _other_labels, _no_network])
def test_a_cache_that_is_damaged_or_disagrees_is_not_used(kept, damage):
    """The network is compiled again, its labels are right, and the cache is whole again."""
    model, backend, file = kept
    damage(file)
    assert np.array_equal(openvino(model).infer(_batch(backend)), backend.infer(_batch(backend)))
    again = read_compiled(file)
    assert again is not None
    assert np.array_equal(again.labels, backend.infer(_batch(backend)).ravel())


def test_many_at_a_cold_cache_get_in_nobodys_way(tmp_path, monkeypatch, model):
    """Each has the labels, the file is whole, and nothing of theirs is left beside it."""
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "cache"))
    with ThreadPoolExecutor(4) as pool:
        backends = list(pool.map(lambda _: openvino(model), range(8)))
    labels = [each.infer(_batch(each)) for each in backends]
    assert all(np.array_equal(each, labels[0]) for each in labels)
    (file,) = (tmp_path / "cache" / "openvino").iterdir()
    assert read_compiled(file) is not None


def test_without_a_cache_it_only_starts_slower(tmp_path, monkeypatch, model):
    """As where the home is a file, or read-only."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "file"))
    assert openvino(model).device == "openvino:CPU fp32"

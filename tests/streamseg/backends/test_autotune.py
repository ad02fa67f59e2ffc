"""The variant that runs is the fastest here whose labels are those of fp32, found by a trial that is kept.

The clock is given: no test depends on how fast this machine is.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from streamseg.backends import autotune, load_backend
from streamseg.backends.autotune import Autotuner, Question
from streamseg.backends.base import Variant
from streamseg.backends.labels import UnknownLabels
from streamseg.backends.trial_cache import Outcome, TrialCache
from streamseg.errors import ModelError
from streamseg.spec import ModelSpec
from tests.builders import THREE_CLASSES, save_model, threshold_model


class Clock:
    """Seconds that pass only when somebody lets them, from whatever thread."""

    def __init__(self) -> None:
        self._now, self._lock = 0.0, threading.Lock()

    def __call__(self) -> float:
        return self._now

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += seconds


class Script:
    """A clock under which each measurement, from one reading to the next, takes what is written here, in order."""

    def __init__(self, *seconds: float) -> None:
        self._left, self._now, self._started = list(seconds), 0.0, False

    def __call__(self) -> float:
        if self._started:
            self._now += self._left.pop(0)
        self._started = not self._started
        return self._now


class Fake:
    """A backend of known speed that gives one label everywhere, or another in the first so many columns."""

    device, streams, notes = "fake", 1, ()
    spec = ModelSpec("fake", 20, 40, THREE_CLASSES)

    def __init__(self, clock: Clock, seconds: float, wrong_columns: int = 0) -> None:
        self._clock, self._seconds, self._wrong = clock, seconds, wrong_columns
        self.unknown = UnknownLabels()
        self.pictures = 0

    def infer(self, batch):
        """Takes its time for each picture."""
        self.pictures += len(batch)
        self._clock.pass_s(self._seconds * len(batch))
        labels = np.zeros(batch.shape[:3], np.uint8)
        labels[:, :, : self._wrong] = 1
        return labels

    def infer_with_confidence(self, batch):
        """Never asked for."""
        raise NotImplementedError


class Table:
    """Variants of known speed, with what was loaded so far. The first is the reference."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.cache, self.loads = Clock(), TrialCache(folder), []
        self.file = folder / "model.bin"
        self.file.write_text("weights")
        self.broken: set[str] = set()
        self.backends: dict[str, Fake] = {}

    def variant(self, label: str, seconds: float, wrong_columns: int = 0, **more) -> Variant:
        """One of them."""

        def load() -> Fake:
            self.loads.append(label)
            if label in self.broken:
                raise ModelError(f"{label} is broken")
            self.backends[label] = Fake(self.clock, seconds, wrong_columns)
            return self.backends[label]

        return Variant(label, "fp32", load, (self.file,), **more)

    def choose(self, *variants: Variant, reference: Variant | None = None, strict=True, streams=1, facts="facts"):
        """What the autotuner takes; the first variant is the reference if no other is given."""
        asked = Question(self.file, variants, reference or variants[0], streams, strict, facts)
        return Autotuner(self.clock, self.cache).choose(asked)


@pytest.fixture
def table(tmp_path):
    """An empty cache, a clock of its own."""
    return Table(tmp_path)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of each test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(folder))
    return folder


def with_other_weights(path: Path) -> Path:
    """The same file deciding many pixels otherwise."""
    proto = onnx.load(path)
    for each in proto.graph.initializer:
        if each.name == "factor":
            each.CopyFrom(numpy_helper.from_array(np.float32(1 / 128), "factor"))
    onnx.save(proto, path)
    return path


@pytest.fixture
def net(tmp_path):
    """A model with an int8 form that says the same."""
    threshold_model(tmp_path / "net-int8.onnx")
    return threshold_model(tmp_path / "net.onnx")


INT8_WINS = (0.02, 0.06, 0.06, 0.03, 0.03)
"""A first round of one picture, two of three pictures in fp32, two in int8."""


def load(path: Path, *seconds: float, **options):
    """On the CPU by a scripted clock; without a script no trial may be made."""
    return load_backend(path, "cpu", autotuner=Autotuner(Script(*seconds)), **options)


def test_the_faster_file_is_taken_where_labels_agree(net):
    """And the reason names both, with their times."""
    backend = load(net, *INT8_WINS)
    assert backend.choice.reason == "onnxruntime int8: 10.0 ms a frame here (onnxruntime fp32 20.0 ms)"
    assert backend.choice.fresh
    assert backend.notes == ()


def test_a_faster_file_with_other_labels_is_refused(net):
    """However fast it is; and it is said."""
    with_other_weights(net.with_name("net-int8.onnx"))
    backend = load(net, *INT8_WINS)
    assert backend.choice.reason.startswith("onnxruntime fp32: 20.0 ms a frame here (onnxruntime int8 refused: only ")
    assert backend.choice.reason.endswith("% of its labels are those of fp32)")


def test_a_precision_that_is_asked_for_is_taken_with_a_note(net):
    """The user's word counts; the share that was measured stands beside it, the second time too."""
    with_other_weights(net.with_name("net-int8.onnx"))
    for script in (INT8_WINS, ()):
        backend = load(net, *script, precision="int8")
        assert "onnxruntime int8: " in backend.choice.reason
        assert "of the labels are those of fp32, usual are 99.5% or more" in backend.notes[0]


def test_the_same_question_is_answered_from_memory(net):
    """With the same words, and no trial."""
    first, second = load(net, *INT8_WINS), load(net)
    assert (first.choice.fresh, second.choice.fresh) == (True, False)
    assert first.choice.reason == second.choice.reason


def longer(path: Path) -> None:
    """Put something behind the file that changes no label."""
    path.write_bytes(path.read_bytes() + b"\x12\x01x")  # to ONNX, the name of what produced it


@pytest.mark.parametrize("options", [{"threads": 1}, {"streams": 2}, {"precision": "int8"}], ids=str)
def test_another_question_is_asked_anew(net, options):
    """And the answer to the first one stays."""
    load(net, *INT8_WINS)
    assert load(net, *INT8_WINS, **options).choice.fresh
    assert not load(net).choice.fresh


@pytest.mark.parametrize("change", ["model", "form", "description"])
def test_a_file_that_decides_asks_again(net, change):
    """The model, its int8 form, or the TOML that appeared beside it."""
    load(net, *INT8_WINS)
    if change == "description":
        net.with_suffix(".toml").write_text("name = 'other'")
    else:
        longer(net if change == "model" else net.with_name("net-int8.onnx"))
    assert load(net, *INT8_WINS).choice.fresh


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("importlib.metadata.version", "0"),
        ("streamseg.backends.loading.processor_name", "486"),
        ("streamseg.backends.loading.processor_flags", {"fpu"}),
        ("streamseg.backends.loading.core_count", 99),
    ],
)
def test_a_machine_that_is_another_asks_again(net, monkeypatch, name, value):
    """Its libraries' versions, its processor, what that can do, and how much of it may be used."""
    load(net, *INT8_WINS)
    monkeypatch.setattr(name, lambda *_: value)
    assert load(net, *INT8_WINS).choice.fresh


def test_weights_in_a_file_of_their_own_are_part_of_the_question(net):
    """A model whose file stays the same and whose weights do not is another model."""
    proto = onnx.load(net)
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full(300, 1 / 85.5, np.float32), "many"))
    proto.graph.initializer.append(numpy_helper.from_array(np.int64(0), "first"))
    proto.graph.node.insert(0, helper.make_node("Gather", ["many", "first"], ["factor"]))
    onnx.save(proto, net, save_as_external_data=True, location="weights.data", size_threshold=0)
    weights = net.with_name("weights.data")
    load(net, *INT8_WINS)
    assert not load(net).choice.fresh
    longer(weights)
    assert load(net, *INT8_WINS).choice.fresh
    weights.unlink()
    with pytest.raises(ModelError, match=r"keeps its weights in 'weights\.data', which is not beside it"):
        load(net)


@pytest.mark.parametrize("content", [b"{\xff", b'{"taken": "abacus", "reason": "", "agreement": 1}', b"[" * 100000])
def test_a_memory_that_says_nothing_useful_asks_again(net, cache, content):
    """Damaged, of what is not there, or nested without end."""
    load(net, *INT8_WINS)
    (kept,) = (cache / "trials").iterdir()
    kept.write_bytes(content)
    assert load(net, *INT8_WINS).choice.fresh


def test_a_cache_that_cannot_be_written_is_done_without(net, tmp_path, monkeypatch):
    """It is only memory."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STREAMSEG_CACHE_DIR", str(tmp_path / "file"))
    assert load(net, *INT8_WINS).choice.fresh


def test_where_there_is_nothing_to_win_nothing_is_tried_or_kept(net, cache):
    """A network of less than 2 ms stays with onnxruntime in fp32, and the next run looks again."""
    for _ in range(2):
        backend = load(net, 0.001, 0.003, 0.003)
        assert backend.choice.reason == "onnxruntime fp32: 1.0 ms a frame here (onnxruntime int8 not tried)"
        assert not backend.choice.fresh
    assert not list(cache.rglob("*.json"))


def test_one_way_alone_is_taken_without_a_trial(model, cache):
    """Device cpu without an int8 file leaves nothing to choose."""
    assert load(model).choice is None
    assert not cache.exists()


def test_a_slow_network_gets_fewer_pictures_and_every_variant_is_tried(table):
    """Four seconds a picture: one picture, all variants, and it is kept."""
    slow = [table.variant(f"way {number}", 4.0 - number / 2) for number in range(4)]
    backend = table.choose(*slow)
    assert backend.choice.reason == (
        "way 3: 2500.0 ms a frame here (way 0 4000.0 ms; way 1 3500.0 ms; way 2 3000.0 ms)"
    )
    assert {each.pictures for each in table.backends.values()} == {
        3,
        4,
    }  # the reference: one to see how slow it is
    assert not table.choose(*slow).choice.fresh


def test_a_quick_network_gets_all_pictures(table):
    """Three, in two rounds and a call to warm up."""
    table.choose(table.variant("plain", 0.01), table.variant("quick", 0.005))
    assert table.backends["quick"].pictures == 1 + 2 * 3


def test_what_is_hopeless_gets_one_round(table):
    """More than 1.3 times slower in the first."""
    table.choose(table.variant("plain", 0.01), table.variant("slow", 0.02))
    assert table.backends["slow"].pictures == 1 + 3


def test_a_little_faster_is_not_enough(table):
    """4 % is within what two rounds differ by; the safer one stays."""
    reason = table.choose(table.variant("plain", 0.0100), table.variant("near", 0.0096)).choice.reason
    assert reason == "plain: 10.0 ms a frame here (near 9.6 ms)"


@pytest.mark.parametrize(("wrong_columns", "taken"), [(0, "quick"), (1, "plain")])
def test_the_border_of_what_agrees_is_99_and_a_half_percent(table, wrong_columns, taken):
    """One column of 40 is 2.5 % of the labels."""
    backend = table.choose(table.variant("plain", 0.01), table.variant("quick", 0.005, wrong_columns))
    assert backend.choice.reason.startswith(f"{taken}: ")
    assert pytest.approx(0.995) == autotune.AGREEMENT


def test_what_does_not_run_is_said_and_left_out(table):
    """A form that cannot be loaded is not dropped in silence."""
    table.broken.add("int8")
    backend = table.choose(table.variant("plain", 0.01), table.variant("int8", 0.005))
    assert backend.choice.reason == "plain: 10.0 ms a frame here (int8 does not run: int8 is broken)"


def test_an_engine_that_raises_anything_is_left_out_too(table):
    """Somebody else's mistakes do not end a run."""
    plain = table.variant("plain", 0.01)

    class Late(Fake):
        def infer(self, batch):
            raise MemoryError(f"no room for {len(batch)}")

    wild = replace(plain, label="wild", load=lambda: 1 / 0)
    late = replace(plain, label="late", load=lambda: Late(table.clock, 0.001))
    reason = table.choose(plain, wild, late).choice.reason
    assert "wild does not run: wild failed: ZeroDivisionError: division by zero" in reason
    assert "late does not run: late failed: MemoryError: no room for 1" in reason


def test_a_remembered_choice_that_does_not_load_is_tried_again(table):
    """The run goes on with what does, and that is remembered."""
    variants = [table.variant("plain", 0.01), table.variant("quick", 0.005)]
    assert table.choose(*variants).choice.reason.startswith("quick: ")
    table.broken.add("quick")
    again = table.choose(*variants)
    assert again.choice.reason.startswith("plain: ")
    assert again.choice.fresh
    assert not table.choose(*variants).choice.fresh


def test_what_only_its_sample_could_load_is_left_out(table):
    """As where a GPU has memory for one batch size and not for all."""
    plain, quick = table.variant("plain", 0.01), table.variant("quick", 0.001)
    table.broken.add("quick")
    quick = replace(quick, sample=lambda: Fake(table.clock, 0.001))
    assert table.choose(plain, quick).choice.reason.startswith("plain: ")


def test_batches_are_timed_by_the_picture(table):
    """Eight together, from one caller; a trial loads the sample, the run the whole."""
    plain, gpu = table.variant("plain", 0.01), table.variant("gpu", 0.002)
    sample = Fake(table.clock, 0.002)
    gpu = replace(gpu, sample=lambda: sample, batch=8)
    backend = table.choose(plain, gpu, streams=3)
    assert backend.choice.reason.startswith("gpu: 2.0 ms a frame here")
    assert sample.pictures == 8 * 3  # one call to warm up, two that are timed
    assert table.loads == ["plain", "gpu"]


@pytest.mark.parametrize("batch", [1, 2, 3, 8])
def test_all_pictures_are_compared_whatever_the_batch(table, batch):
    """More pictures than a batch holds are several batches; the last one is filled up."""
    plain, gpu = table.variant("plain", 0.01), table.variant("gpu", 0.001)
    gpu = replace(gpu, sample=lambda: Fake(table.clock, 0.001), batch=batch)
    assert table.choose(plain, gpu, streams=3).notes == ()


def test_none_that_agrees_is_an_error_that_says_how_far_it_is(table):
    """The only variant of a device that is named is held to fp32 as well."""
    plain, wrong = table.variant("plain", 0.01), table.variant("wrong", 0.005, wrong_columns=20)
    with pytest.raises(ModelError, match=r"runs in no way that agrees with fp32: wrong refused: only 50\.00% of its"):
        table.choose(wrong, reference=plain)


def test_where_the_reference_does_not_run_the_first_in_fp32_takes_its_place(table):
    """A model that only another library knows: nothing in fewer bits is taken without a comparison."""
    plain, other = table.variant("plain", 0.01), table.variant("other fp32", 0.01)
    few = replace(table.variant("few bits", 0.001, wrong_columns=20), precision="int8")
    table.broken.add("plain")
    backend = table.choose(plain, other, few)
    assert backend.choice.reason == (
        "other fp32: 10.0 ms a frame here (plain does not run: plain is broken; "
        "few bits refused: only 50.00% of its labels are those of fp32)"
    )
    assert backend.notes == ("its labels were compared with nothing, since nothing here computes this model in fp32",)


def test_a_trial_without_a_reference_says_so(table):
    """Nothing here computes the model in fp32: it runs, with a note."""
    asked = Question(table.file, [table.variant("only", 0.01)], None, 1, strict=True, facts=None)
    backend = Autotuner(table.clock, table.cache).choose(asked)
    assert backend.notes == ("its labels were compared with nothing, since nothing here computes this model in fp32",)


def test_labels_of_another_size_agree_with_nothing(table):
    """Also where they broadcast."""
    plain = table.variant("plain", 0.01)

    class Small(Fake):
        def infer(self, batch):
            return super().infer(batch)[:, :1, :1]

    small = replace(plain, label="small", load=lambda: Small(table.clock, 0.001))
    assert "small refused: only 0.00% of its labels" in table.choose(plain, small).choice.reason


def test_a_precision_without_its_file_says_what_makes_it(model):
    """The name of the file and the command."""
    with pytest.raises(ModelError, match=r"needs a file 'threshold-int8\.onnx' beside the model; make it with "):
        load_backend(model, "cpu", precision="int8")


def test_a_precision_that_onnxruntime_lacks_on_cpus_names_who_has_it(model):
    """The way out is another device."""
    with pytest.raises(ModelError, match="onnxruntime cannot compute in precision 'bf16'; devices that can: openvino"):
        load_backend(model, "cpu", precision="bf16")


def test_an_unknown_precision_lists_those_there_are(model, streamseg):
    """As an error of the library, and of the command line."""
    with pytest.raises(ModelError, match="no precision 'fp8'; use auto, fp32, bf16, mixed, fp16 or int8"):
        load_backend(model, precision="fp8")
    done = streamseg("run", "synthetic:", "null:", "--precision", "fp8")
    assert done.code == 2
    assert "'fp8' is not one of auto, fp32, bf16, mixed, fp16, int8" in done.err


def slow_model(path: Path) -> Path:
    """`threshold_model` of 512x288 with three convolutions whose result counts for nothing: well over 2 ms anywhere."""
    height, width = 288, 512
    nodes = [
        helper.make_node("Cast", ["frames"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["mean"], axes=[3], keepdims=0),
        helper.make_node("Mul", ["mean", "factor"], ["scaled"]),
        helper.make_node("Unsqueeze", ["scaled", "channel"], ["plane"]),
        helper.make_node("Expand", ["plane", "many"], ["wide"]),
        *(
            helper.make_node("Conv", [("wide", "a", "b")[place], "kernel"], [("a", "b", "c")[place]], pads=[1] * 4)
            for place in range(3)
        ),
        helper.make_node("ReduceMax", ["c"], ["nothing"], axes=[1], keepdims=0),
        helper.make_node("Add", ["scaled", "nothing"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["labels"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", height, width, 3])],
        [helper.make_tensor_value_info("labels", TensorProto.UINT8, ["n", height, width])],
        [
            numpy_helper.from_array(np.float32(1 / 85.5), "factor"),
            numpy_helper.from_array(np.int64([1]), "channel"),
            numpy_helper.from_array(np.int64([1, 32, 1, 1]), "many"),
            numpy_helper.from_array(np.zeros((32, 32, 3, 3), np.float32), "kernel"),
        ],
    )
    return save_model(graph, path, ModelSpec("slow", height, width, THREE_CLASSES).to_json())


@pytest.mark.slow
def test_a_run_says_once_what_it_took_and_doctor_forgets_it(streamseg, tmp_path, cache):
    """In one line where a trial was run, later with -v only, and again after `doctor --retune`; whichever is faster."""
    threshold_model(tmp_path / "net-int8.onnx", 288, 512)
    net = slow_model(tmp_path / "net.onnx")
    command = ("run", "synthetic:128x64,frames=2", "null:", "--model", net, "--device", "cpu")
    said = [streamseg(*command).err, streamseg(*command).err, streamseg(*command, "-v").err]
    assert [text.count("network: onnxruntime ") for text in said] == [1, 0, 1]
    (kept,) = (cache / "trials").iterdir()
    assert streamseg("doctor", "--retune").code == 0
    assert not kept.exists()
    assert streamseg(*command).err.count("network: onnxruntime ") == 1


def test_all_is_forgotten_but_what_cannot_be_removed(tmp_path):
    """A folder in the place of a file does not keep the others."""
    for name in ("a", "c"):
        TrialCache(tmp_path).put(name, Outcome("onnxruntime fp32", "fastest", None))
    (tmp_path / "b.json").mkdir()
    assert TrialCache(tmp_path).clear() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]

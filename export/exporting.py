"""The export itself: graph, file, comparison, scores, second opinions, in that order; nothing is left half written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from export.request import LEAST_EQUAL, Request, share_of
from streamseg.atomic import replacing
from streamseg.errors import SinkError, UsageError
from train.config import Experiment, Share
from train.datasets import Dataset, open_dataset
from train.quiet import import_keras_quietly
from train.run_folder import RunFolder
from train.size import shown_size

if TYPE_CHECKING:
    import keras
    import onnx

    from streamseg.pixels import Image

    Say = Callable[[str], None]

VERIFIED_PICTURES = 4  # over 100 thousand labels each at the usual size


def export(request: Request, say: Say) -> None:
    """Make the file, or leave nothing.

    say: takes lines for the person.

    Raises:
        UsageError: no training, no weights, no such data, or a setting that cannot be meant.
        ModelError: the file is not good enough.
        SinkError: it cannot be written.
    """
    trained = RunFolder(request.training).experiment()
    experiment = replace(trained, size=request.size or trained.size)
    with unfinished(request.output) as draft:  # a file at its final name is complete
        datasets = list(scored_on(request, experiment, say))  # what is missing is said before the work
        import_keras_quietly()
        model = RunFolder(request.training).network(experiment.size)
        write_graphs(request, experiment, model, draft, say)
        share = share_of(experiment, request.verify_on)
        frames = pictures(experiment, share, request.root, VERIFIED_PICTURES)
        verify(request, model, draft, list(frames), say)
        verify_other_sizes(request, experiment, draft, say)
        scores = scored(request, experiment, model, draft, datasets, say)
        embed_scores(draft, experiment, request, scores)
    say(f"{request.output}: {request.output.stat().st_size / 1e6:.1f} MB, {request.precision}")


@contextmanager
def unfinished(output: Path) -> Iterator[Path]:
    """A path beside `output` to write to; what is there afterwards becomes `output`, if nothing was raised.

    Raises:
        SinkError: the disk says no.
    """
    with writing(output):
        # beside it, since a rename is atomic only within one file system
        folder = tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-")
    with folder:
        draft = Path(folder.name) / output.name
        yield draft
        with writing(output), replacing(output) as part:
            draft.replace(part)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the disk says, in one line. Raises SinkError."""
    try:
        yield
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror}); give another path") from error


def write_graphs(request: Request, experiment: Experiment, model: keras.Model, draft: Path, say: Say) -> None:
    """Two files of one graph: the model file, and beside it one with the logits too, to verify with."""
    import onnx

    from export.embed_spec import embed, spec_of
    from export.graph import keep_outputs, transposes
    from export.to_onnx import CONFIDENCE, LABELS, to_onnx

    proto = at_precision(request, experiment, to_onnx(model, request.label_stride))
    with writing(request.output):
        onnx.save(proto, with_logits(draft))  # before outputs are taken away, or logits could not be compared
    keep_outputs(proto, [LABELS, CONFIDENCE] if request.confidence else [LABELS])
    embed(proto, spec_of(experiment, request, {}))
    with writing(request.output):
        onnx.save(proto, draft)
    # each one copies all of a feature map, and one that was not meant is how exports get slow
    say(f"transposes: {transposes(proto.graph)}")
    del proto  # the checker reads the file, and a large network is large enough once
    onnx.checker.check_model(draft, full_check=True)


def with_logits(draft: Path) -> Path:
    """Where the file to verify with lies."""
    return draft.with_name(f"{draft.name}.with-logits")


def at_precision(request: Request, experiment: Experiment, proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph in the precision that is asked for."""
    from export.precision import bfloat16_kernels, half, quantized

    if request.precision == "bf16":
        return bfloat16_kernels(proto)
    if request.precision == "fp16":
        return half(proto)
    if request.precision == "int8":
        share = share_of(experiment, request.calibrate_on) if request.calibrate_on else experiment.shares[0]
        return quantized(proto, pictures(experiment, share, request.root, request.calibrate_count))
    return proto


def pictures(experiment: Experiment, share: Share, root: Path, count: int) -> Iterator[Image]:
    """Some pictures of a data set, spread evenly, prepared as the runtime would."""
    from streamseg.preprocess import prepared, resize_picture
    from train.scoring import spread

    dataset = opened(experiment, share, root)
    for place in spread(len(dataset), count):
        picture, _labels = dataset.load(place)
        # BGR: the order that training fed the network
        yield prepared(resize_picture(picture, experiment.size), "bgr", experiment.clahe)


def opened(experiment: Experiment, share: Share, root: Path) -> Dataset:
    """A share's data set. Raises UsageError when it is not at hand."""
    return open_dataset(share.dataset, root, experiment.classes, **share.options)


def verify(request: Request, model: keras.Model, draft: Path, frames: Sequence[Image], say: Say) -> None:
    """Keras and ONNX Runtime on the same pictures, then other libraries."""
    from export.second_opinion import second_opinions
    from export.verify import parity, require_equal

    found = parity(model, request.label_stride, draft, with_logits(draft), frames)
    say(
        f"verified: {found.equal:.5f} of the labels equal Keras' on {len(frames)} pictures of {request.verify_on}, "
        f"largest logit difference {found.logit_difference:.2g} at logits up to {found.largest_logit:.3g}"
    )
    require_equal(found.equal, LEAST_EQUAL[request.precision] if request.least_equal is None else request.least_equal)
    if request.second_opinion:
        for line in second_opinions(draft, frames, found.labels):
            say(line)


def verify_other_sizes(request: Request, experiment: Experiment, draft: Path, say: Say) -> None:
    """Keras and ONNX Runtime at the further sizes that the file offers: each must give the labels of that network."""
    from export.verify import labels_of, require_equal, winners

    share = share_of(experiment, request.verify_on)
    for size in request.also_sizes:
        at_size = replace(experiment, size=size)
        model = RunFolder(request.training).network(size)
        frames = list(pictures(at_size, share, request.root, VERIFIED_PICTURES))
        wanted = [winners(model.predict_on_batch(each[None]), size[0], request.label_stride)[0] for each in frames]
        equal = float(np.mean(np.stack(wanted) == np.stack(labels_of(draft, frames, size))))
        say(f"verified at {shown_size(size)}: {equal:.5f} of the labels equal Keras'")
        require_equal(equal, LEAST_EQUAL[request.precision] if request.least_equal is None else request.least_equal)


def scored(
    request: Request,
    experiment: Experiment,
    model: keras.Model,
    draft: Path,
    datasets: Sequence[tuple[str, Dataset]],
    say: Say,
) -> dict[str, dict[str, Any]]:
    """The file's figures by data set, each held against the network's own."""
    from export.verify import require_miou
    from streamseg.backends import load_backend
    from train.predictors import keras_predictor, onnx_predictor
    from train.probabilities import class_probabilities
    from train.report import report
    from train.scoring import SCORED_SIZES, score, spread

    figures = {}
    for name, dataset in datasets:
        predictors = (
            keras_predictor(experiment, model),
            onnx_predictor(load_backend(draft, device="cpu"), probabilities=class_probabilities(draft)),
        )
        before, after = (
            score(dataset, experiment.classes, predict, SCORED_SIZES.get(name), request.score_count)
            for predict in predictors
        )
        count = len(spread(len(dataset), request.score_count))
        say(f"{name}: mean IoU {after.mean_iou:.4f}, in Keras {before.mean_iou:.4f}, on {count} pictures")
        require_miou(before.mean_iou, after.mean_iou, request.most_miou_loss, name)
        figures[name] = {"pictures": count, **report(after, experiment.classes)}
    return figures


def scored_on(request: Request, experiment: Experiment, say: Say) -> Iterator[tuple[str, Dataset]]:
    """The data sets to score on, by name; says when there is none.

    Raises:
        UsageError: one was asked for that is not at hand.
    """
    if not request.score_count:
        say("not scored: --score-count 0")
    elif request.score_on:
        for name in request.score_on:
            yield name, opened(experiment, share_of(experiment, name), request.root)
    elif experiment.validation is None:
        say("not scored: the training has no validation data; name a data set with --score-on")
    else:
        try:
            dataset = opened(experiment, experiment.validation, request.root)
        except UsageError as error:
            say(f"not scored: {error}")
        else:
            yield experiment.validation.dataset, dataset


def embed_scores(draft: Path, experiment: Experiment, request: Request, scores: dict[str, dict[str, Any]]) -> None:
    """Puts the figures into the description in the file."""
    import onnx

    from export.embed_spec import embed, spec_of

    proto = onnx.load(draft)  # scores are of the file itself, so they can only be added once it is there
    embed(proto, spec_of(experiment, request, scores))
    with writing(request.output):
        onnx.save(proto, draft)

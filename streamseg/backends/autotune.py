"""Which variant runs a model: the fastest on this machine whose labels are those of fp32, by a trial that is kept.

A trial runs each variant on pictures, as many at once as the run will, and compares its labels with those of fp32. A
slow network gets fewer pictures, never fewer variants. What was found is kept until anything that decided it changes.

The pictures are blends of two pictures of the built-in scene. A network is unsure of more pixels in them than in clear
ones, so a precision that decides some pixels otherwise shows it there at least as much as on real clips.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.backends.base import Backend, Choice, LoadedBackend, NotInUseError, Variant
from streamseg.backends.trial_cache import Outcome, TrialCache, key_of
from streamseg.errors import ModelError

if TYPE_CHECKING:
    from streamseg.pixels import Image

AGREEMENT = 0.995
"""Share of labels that must be those of fp32. Of the bundled network, two libraries in fp32 agree on 99.99 % of them,
`mixed` with fp32 on 99.7 %; one label of 200 is the most that speed may cost unasked."""

_PICTURES, _PICTURE_COUNT = Path(__file__).with_name("trial.jpg"), 3  # stacked in one file, one above the other
_BUDGET_S = 0.5  # for a round of a variant: five variants of two rounds make a person wait for a few seconds
_ROUNDS = 2  # the better one counts: whatever disturbs makes a round slower, nothing makes it faster
_WORTH_S = 0.002  # a frame; decoding and encoding one of 720p take 6 ms, so below that the network is not what limits
_FASTER = 0.95  # of the time of the one before, to be taken in its place: the safer one is worth 5 %
_HOPELESS = 1.3  # times slower in the first round; the second one is then saved


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be chosen.

    path: of the model.
    variants: those there are, the safest first.
    reference: what their labels are compared with; None where nothing computes this model in plain fp32.
    streams: how many calls will run at once.
    strict: whether what does not agree with the reference is refused; else it is taken, and a note says so.
    facts: what decides the answer beside the files: versions, processor, threads... Whatever JSON can say.
    """

    path: Path
    variants: Sequence[Variant]
    reference: Variant | None
    streams: int
    strict: bool
    facts: Any

    def key(self) -> str:
        """What an answer is kept under. Raises ModelError when a file cannot be read."""
        everything = [*self.variants, *([self.reference] if self.reference else [])]
        labels = [each.label for each in everything]
        files = [_PICTURES, *(file for each in everything for file in each.files)]
        try:
            return key_of([labels, self.streams, self.strict, AGREEMENT, self.facts], files)
        except OSError as error:
            raise ModelError(f"cannot read '{error.filename}': {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Autotuner:
    """Answers such questions. clock: seconds, rising. cache: what was found before."""

    clock: Callable[[], float] = time.perf_counter
    cache: TrialCache = field(default_factory=TrialCache)

    def choose(self, question: Question) -> LoadedBackend:
        """The variant that is remembered for this question, or else found by a trial, loaded.

        One that is remembered and does not load any more is forgotten, and the trial made again; one that only a trial
        could load is left out.

        Raises:
            ModelError: none can be loaded, or none agrees.
        """
        key = question.key()
        kept = self.cache.get(key)
        for variant in question.variants:
            if kept is not None and variant.label == kept.taken:
                try:
                    return _told(load(variant), kept, fresh=False)
                except ModelError:
                    self.cache.forget(key)
        trial = _Trial(question, self.clock)
        best, outcome = trial.run()
        try:
            backend = best.backend or load(best.variant)
        except ModelError:
            others = [each for each in question.variants if each is not best.variant]
            if not others:
                raise
            return self.choose(replace(question, variants=others))
        if trial.complete:
            self.cache.put(key, outcome)
        return _told(backend, outcome, fresh=trial.tried > 0)


class _Trial:
    """Variants against each other and against the reference."""

    def __init__(self, question: Question, clock: Callable[[], float]) -> None:
        self._question, self._clock = question, clock
        self._seen: list[str] = []  # what is to be said of those not taken
        self._failures: list[ModelError] = []
        self._best: _Measured | None = None
        self._truth: Image | None = None
        self.tried = 0  # variants beside the reference
        self.complete = True  # whether every variant was measured, or cannot run

    def run(self) -> tuple[_Measured, Outcome]:
        """Raises ModelError when none can be loaded or agrees."""
        question = self._question
        with ThreadPoolExecutor(question.streams) as self._pool:
            pictures = self._with_reference()
            for variant in question.variants:
                if variant is not question.reference:
                    pictures = self._try(variant, pictures)
        best = self._best
        if best is None:
            raise self._failure()
        others = f" ({'; '.join(self._seen)})" if self._seen else ""
        reason = f"{best.variant.label}: {_ms(best.seconds)} a frame here{others}"
        return best, Outcome(best.variant.label, reason, best.agreement)

    def _with_reference(self) -> Image | None:
        """Measure the reference and note its labels. Returns: the pictures for all others; None if it does not run."""
        reference = self._question.reference
        if reference is None:
            return None
        try:
            backend = load(reference)
            pictures = self._fitting(reference, backend)
            measured = self._measured(reference, backend, pictures, None)
        except Exception as error:
            self._note_failure(reference, error)
            return None
        self._truth = measured.labels
        if reference in self._question.variants:
            measured.agreement = 1.0
            self._best = measured
        return pictures

    def _try(self, variant: Variant, pictures: Image | None) -> Image | None:
        """Measure one, and take it where it is better. Returns: the pictures, chosen now if they were not yet."""
        best = self._best
        if best is not None and best.variant is self._question.reference and best.seconds < _WORTH_S:
            self._seen.append(f"{variant.label} not tried")
            self.complete = False
            return pictures
        self.tried += 1
        try:
            backend = load(variant, variant.sample)
            pictures = self._fitting(variant, backend) if pictures is None else pictures
            measured = self._measured(variant, backend, pictures, best.seconds if best else None)
        except Exception as error:
            self._note_failure(variant, error)
            return pictures
        measured.agreement = _agreement(measured.labels, self._truth)
        if self._truth is None and variant.precision == "fp32":
            self._truth = measured.labels  # what comes in fewer bits is at least compared with this
        strict = self._question.strict and measured.agreement is not None
        if strict and (measured.agreement or 0.0) < AGREEMENT:
            share = f"only {measured.agreement:.2%} of its labels are those of fp32"
            self._seen.append(f"{variant.label} refused: {share}")
        elif best is not None and measured.seconds > _FASTER * best.seconds:
            self._seen.append(f"{variant.label} {_ms(measured.seconds)}")
        else:
            if best is not None:
                self._seen.append(f"{best.variant.label} {_ms(best.seconds)}")
            self._best = measured
        return pictures

    def _note_failure(self, variant: Variant, error: Exception) -> None:
        """Whatever an engine raised: it may be anybody's, and none may end the trial of the others."""
        known = error if isinstance(error, ModelError) else _model_error(variant, error)
        self._failures.append(known)
        self._seen.append(f"{variant.label} does not run: {known}")

    def _failure(self) -> ModelError:
        """Why none can be taken: what keeps a device from running before what is wrong with one of its variants."""
        for error in (*(each for each in self._failures if isinstance(each, NotInUseError)), *self._failures[-1:]):
            return error
        return ModelError(f"'{self._question.path}' runs in no way that agrees with fp32: {'; '.join(self._seen)}")

    def _fitting(self, variant: Variant, backend: Backend) -> Image:
        """As many pictures as a round has time for, at least one, judged by a first round that also warms up."""
        pictures, callers = trial_pictures(backend), self._callers(variant)
        start = self._clock()
        self._round(backend, [pictures[:1]] * callers, callers)
        seconds = self._clock() - start
        fitting = int(_BUDGET_S / seconds) if seconds > 0 else len(pictures)
        return pictures[: max(1, fitting)]

    def _measured(self, variant: Variant, backend: Backend, pictures: Image, rival_s: float | None) -> _Measured:
        """Seconds a frame with as many callers as the run will have, the better of two rounds; and the labels."""
        callers = self._callers(variant)
        count = ceil(len(pictures) / variant.batch)
        filled = np.resize(pictures, (count * variant.batch, *pictures.shape[1:]))  # begins anew where they end
        batches = np.split(filled, count) * callers
        self._round(backend, batches[:callers], callers)  # a thread's first call makes its memory
        best = float("inf")
        for _ in range(_ROUNDS):
            start = self._clock()
            results = self._round(backend, batches, callers)
            best = min(best, (self._clock() - start) / (len(batches) * variant.batch))
            if rival_s is not None and best > _HOPELESS * rival_s:
                break
        labels = np.concatenate(results)[: len(pictures)]
        return _Measured(variant, None if variant.sample else backend, best, labels)

    def _callers(self, variant: Variant) -> int:
        """How many threads call at once. A sample is for one, which may have captured a CUDA graph."""
        return 1 if variant.sample else self._question.streams

    def _round(self, backend: Backend, batches: Sequence[Image], callers: int) -> list[Image]:
        if callers == 1:  # always on this thread: on a pool's, a round might meet one that has nothing prepared
            return [backend.infer(batch) for batch in batches]
        return list(self._pool.map(backend.infer, batches))


@dataclass(slots=True)
class _Measured:
    """backend: to be used from now on; None where a trial measured something else in its place."""

    variant: Variant
    backend: Backend | None
    seconds: float
    labels: Image
    agreement: float | None = None


def load(variant: Variant, how: Callable[[], Backend] | None = None) -> Backend:
    """
    how: in place of the variant's own way.

    Raises:
        ModelError: it cannot be loaded, whatever the library raised.
    """
    try:
        return (how or variant.load)()
    except ModelError:
        raise
    except Exception as error:
        raise _model_error(variant, error) from error


def _model_error(variant: Variant, error: Exception) -> ModelError:
    return ModelError(f"{variant.label} failed: {type(error).__name__}: {' '.join(str(error).split())}")


def trial_pictures(backend: Backend) -> Image:
    """(n, height, width, 3) uint8, what trials run a model on."""
    import cv2

    from streamseg.frame import Frame
    from streamseg.preprocess import network_input

    sheet: Any = cv2.imdecode(np.frombuffer(_PICTURES.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    spec = backend.spec
    return np.stack(
        [
            network_input(Frame(place, 0.0, np.ascontiguousarray(picture)), spec, spec.clahe)
            for place, picture in enumerate(np.split(sheet, _PICTURE_COUNT))
        ]
    )


def _agreement(labels: Image, truth: Image | None) -> float | None:
    """Share of labels that are equal, 0 where not even their number is; None where there is no truth."""
    if truth is None:
        return None
    return float(np.mean(labels == truth)) if labels.shape == truth.shape else 0.0


def _told(backend: Backend, outcome: Outcome, *, fresh: bool) -> LoadedBackend:
    """With why it was taken, and a note where its labels are others, or nobody knows."""
    notes = []
    if outcome.agreement is None:
        notes.append("its labels were compared with nothing, since nothing here computes this model in fp32")
    elif outcome.agreement < AGREEMENT:
        notes.append(f"only {outcome.agreement:.2%} of the labels are those of fp32, usual are {AGREEMENT:.1%} or more")
    return LoadedBackend(backend, Choice(outcome.reason, fresh), notes)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds >= 0.001 else f"{1000 * seconds:.2f} ms"  # GPUs are that fast

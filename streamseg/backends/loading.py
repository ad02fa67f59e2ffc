"""From what a user asked for to a loaded network: which engines may answer, and which of their variants is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamseg.backends.autotune import Autotuner, Question, load
from streamseg.backends.base import Engine, LoadedBackend, NotInUseError, Request, Variant
from streamseg.backends.engines import AUTO, engines, parse_device, precision_names, usable_devices, versions, why_not
from streamseg.backends.model_file import refuse_other_formats
from streamseg.errors import ModelError
from streamseg.machine import core_count, library_versions, processor_flags, processor_name

_USUAL = ".onnx"  # what a file is taken for whose name ends like no engine's


def loaded(
    path: Path, device: str, threads: int | None, precision: str, streams: int, autotuner: Autotuner
) -> LoadedBackend:
    """See `load_backend`, whose arguments these are; path: of the model file."""
    known = [AUTO, *precision_names()]
    if precision not in known:
        raise ModelError(f"there is no precision '{precision}'; use {', '.join(known[:-1])} or {known[-1]}")
    wanted = Request(path, AUTO, 0, precision, threads, streams)
    device = str(device)  # a number or None is told from the devices there are like any other word
    if device.strip().lower() == AUTO:
        return _automatic(wanted, autotuner)
    engine, name, number = parse_device(device)
    # Every refusal ends with what the user can ask for instead.
    others = ", ".join(each for each in usable_devices() if each.removesuffix("[:N]") != name)
    if reason := why_not(engine):
        raise ModelError(f"device '{device}' cannot be used: {reason}; usable here: {others}")
    try:
        return _chosen([engine], replace(wanted, device=name, number=number), autotuner)
    except NotInUseError as error:
        what = f"device '{device}'" if precision == AUTO else f"precision '{precision}' on device '{device}'"
        raise ModelError(f"{what} cannot be used: {error}; usable here: {others}") from error


def _automatic(request: Request, autotuner: Autotuner) -> LoadedBackend:
    """On a GPU where one works, else the fastest on the processor, with a note on the GPU."""
    usable = [each for each in engines() if each.automatic and why_not(each) is None]
    # A GPU leaves the processor to decoding and encoding, so the two are never tried against each other.
    groups = [[each for each in usable if each.on_gpu == on_gpu] for on_gpu in (True, False)]
    notes: list[str] = []
    failure: ModelError | None = None
    for group in filter(None, groups):
        try:
            found = _chosen(group, request, autotuner)
        except ModelError as error:
            failure = error
            notes.append(f"a GPU is present but cannot be used: {error}")
        else:
            return LoadedBackend(found, found.choice, notes) if notes else found
    if isinstance(failure, NotInUseError):
        raise ModelError(f"precision '{request.precision}' cannot be used here: {failure}") from failure
    raise failure or ModelError("no engine can be used here; `streamseg doctor` says why")


def _chosen(group: Sequence[Engine], request: Request, autotuner: Autotuner) -> LoadedBackend:
    """The fastest that may be taken of what these engines have."""
    variants, failures = _variants(group, request)
    if not variants:
        raise failures[0] if failures else _no_such_precision(group, request)
    reference = _reference(request, variants)
    if variants == [reference]:  # nothing to choose, and nothing to compare it with but itself
        return LoadedBackend(load(variants[0]))
    return autotuner.choose(
        Question(
            request.path,
            variants,
            reference,
            request.streams,
            strict=request.precision == AUTO,
            facts=[
                library_versions() | versions(),
                [processor_name(), sorted(processor_flags()), core_count()],
                [each.hardware(request.number) for each in group],
                request.threads,
            ],
        )
    )


def _variants(group: Sequence[Engine], request: Request) -> tuple[list[Variant], list[ModelError]]:
    """Of all engines of a group, and why some have none."""
    variants: list[Variant] = []
    failures: list[ModelError] = []
    for engine in group:
        try:
            _refuse_other_files(engine, request.path)
            if request.precision == AUTO or request.precision in engine.precisions:
                device = request.device if request.device != AUTO else engine.devices[0].removesuffix("[:N]")
                variants += engine.variants(replace(request, device=device))
        except ModelError as error:
            failures.append(error)
        except Exception as error:  # an engine may be anybody's, and others can still run the model
            reason = " ".join(str(error).split())
            failures.append(ModelError(f"{engine.name} failed: {type(error).__name__}: {reason}"))
    return variants, failures


def _reference(request: Request, variants: Sequence[Variant]) -> Variant | None:
    """What labels are compared with: fp32 of the first engine that has it plain, be it one of the variants or not."""
    usable = [each for each in engines() if not each.on_gpu and why_not(each) is None]
    plain = replace(request, device=AUTO, number=0, precision="fp32")
    found = next((each for each in _variants(usable, plain)[0] if each.exact), None)
    return next((each for each in variants if found is not None and each.label == found.label), found)


def _refuse_other_files(engine: Engine, path: Path) -> None:
    """Raises ModelError when the model is a file for other engines, or one that has to be converted first."""
    readers: dict[str, list[str]] = {}
    for each in engines():
        for suffix in each.suffixes:
            readers.setdefault(suffix, []).append(each.name)
    suffix = path.suffix.lower()
    if suffix not in readers:  # asked last: an engine may read what usually has to be converted
        refuse_other_formats(path)
        suffix = _USUAL
    if suffix not in engine.suffixes:
        raise ModelError(
            f"'{path}' is no file for {engine.name}, which reads {' and '.join(engine.suffixes)}; "
            f"{suffix} is for {' and '.join(readers[suffix])}"
        )


def _no_such_precision(group: Sequence[Engine], request: Request) -> ModelError:
    """Which devices have it, and what keeps those from running."""
    precision = request.precision
    having = [engine for engine in engines() if precision in engine.precisions]
    ways = [
        f"{device} ({reason})" if (reason := why_not(engine)) else device
        for engine in having
        for device in engine.devices
    ]
    names = " and ".join(engine.name for engine in group)
    return ModelError(f"{names} cannot compute in precision '{precision}'; devices that can: {', '.join(ways)}")

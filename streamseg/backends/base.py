"""What an inference library must do for streamseg, and what an engine says of itself.

Standard library only: help texts and `streamseg doctor` ask every engine, and none may make them slow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from streamseg.errors import ModelError
from streamseg.spec import ModelSpec

if TYPE_CHECKING:
    from streamseg.backends.labels import UnknownLabels
    from streamseg.pixels import Image


class NotInUseError(ModelError):
    """A device or a precision does not really run here. The message is the reason, with what helps if anything does."""


class Backend(Protocol):
    """One loaded model on one device.

    spec: what the model file says of itself, checked against the graph at load.
    device: what really runs, such as "cpu", "openvino:CPU bf16" or "cuda:0 fp16".
    streams: how many threads may call it at the same time, and how many it is made fastest for.
    notes: what a user should know of how it runs; empty when nothing is worse than it could be.
    unknown: counts the labels that no class has; those are 255 in what `infer` gives.
    """

    @property
    def spec(self) -> ModelSpec: ...

    @property
    def device(self) -> str: ...

    @property
    def streams(self) -> int: ...

    @property
    def notes(self) -> Sequence[str]: ...

    @property
    def unknown(self) -> UnknownLabels: ...

    def infer(self, batch: Image) -> Image:
        """
        batch: (n, spec.height, spec.width, 3) uint8, channels in the spec's order.

        Returns: (n, height, width) uint8 class ids, normally at the spec's size; 255 where there is no class.

        Raises:
            ModelError: the library failed while running.
        """
        ...

    def infer_with_confidence(self, batch: Image) -> tuple[Image, Image]:
        """
        batch: as for `infer`.

        Returns: labels as `infer` gives them, and the probability of each pixel's label times 255, rounded:
            (n, height, width) uint8.

        Raises:
            ModelError: the model does not tell it, or the library failed while running.
        """
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be loaded.

    path: of the model file.
    device: one of the engine's, without a number.
    number: of the device, from 0.
    precision: one of the engine's, or "auto" for all that may be worth trying.
    threads: CPU threads for the network; None means one per core.
    streams: how many calls will run at once; 1 is for the lowest latency.
    """

    path: Path
    device: str
    number: int = 0
    precision: str = "auto"
    threads: int | None = None
    streams: int = 1


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a model, such as "openvino bf16".

    label: names it among all variants of all engines, and is what a remembered trial names.
    precision: that it computes in.
    load: gives the backend, or raises ModelError.
    files: everything whose bytes decide what it computes; a remembered trial is for these bytes.
    exact: whether it is fp32 without any shortcut, so that others can be compared with it. Of several, the one of the
        first engine is.
    sample: loads something quicker to load that a trial measures in its place, called by one thread; None means that a
        trial takes `load`, called by as many as the run has.
    batch: how many pictures a call in a trial has.
    """

    label: str
    precision: str
    load: Callable[[], Backend]
    files: tuple[Path, ...]
    exact: bool = False
    sample: Callable[[], Backend] | None = None
    batch: int = 1


class Engine:
    """An inference library, found through an entry point of the group `streamseg.engines` that names a subclass.

    Creating one and asking for its attributes must load nothing heavy: the library itself is imported in `load`.

    name: of the library, for people.
    devices: names that a user may ask for, in small letters; "[:N]" behind one means that a number may follow.
    precisions: that it may compute in, on some machine; the first is the usual one.
    suffixes: of the model files that it reads.
    automatic: whether device "auto" may take it. Of those it may, ones on a GPU are asked first.
    on_gpu: whether it leaves the processor to others.
    needs: what must be there, in a few words for tables.
    """

    name: str
    devices: tuple[str, ...]
    precisions: tuple[str, ...] = ("fp32",)
    suffixes: tuple[str, ...] = (".onnx",)
    automatic: bool = True
    on_gpu: bool = False
    needs: str = "nothing else"

    def why_not(self) -> str | None:
        """Why it cannot be used on this machine, with what helps; None when nothing speaks against it.

        Quick, and without loading the library: only a loaded model tells the whole truth.
        """
        return None

    def variants(self, request: Request) -> Sequence[Variant]:
        """All ways to run the model on the device in that precision, the safest first; none where it has none.

        Raises:
            NotInUseError: the device, or its number, is not there.
            ModelError: the precision that was asked for needs something that is missing.
        """
        raise NotImplementedError

    def versions(self) -> dict[str, str]:
        """What decides its speed and its labels, by name of package or driver, as far as it is installed."""
        return {}

    def hardware(self, number: int = 0) -> str:  # noqa: ARG002 - for engines with numbered devices
        """What it runs on beside the processor, as its maker calls it; empty for nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Why a library and a precision were taken. fresh: found out just now by trying several, not remembered."""

    reason: str
    fresh: bool


class LoadedBackend:
    """What was loaded, why, and what there is to be said. It is a `Backend` itself.

    choice: why this library and precision were taken; None when there was nothing to choose from.
    give_up: ends what a call is doing, from another thread, where the library can; the backend is of no use after that.
    notes: the backend's own, and why a better device or way was not taken.
    """

    def __init__(self, backend: Backend, choice: Choice | None = None, notes: Sequence[str] = ()) -> None:
        """notes: that come before the backend's own."""
        self.backend, self.choice = backend, choice
        self.notes = (*notes, *backend.notes)
        self.spec, self.device, self.streams = backend.spec, backend.device, backend.streams
        self.unknown = backend.unknown
        self.unknown.clear()  # what was counted so far are the pictures that it was tried on
        # Bound once, so that a frame takes no further call on its way to the library.
        self.infer, self.infer_with_confidence = backend.infer, backend.infer_with_confidence
        self.give_up: Callable[[], object] = getattr(backend, "give_up", lambda: None)

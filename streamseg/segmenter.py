"""Picture to labels as one callable: preprocessing and the network."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import numpy as np

from streamseg.backends.base import Backend
from streamseg.controls import Controls, Settings
from streamseg.errors import SourceError, UsageError
from streamseg.frame import Frame
from streamseg.options import ClaheMode
from streamseg.preprocess import network_input
from streamseg.segmentation import Segmentation
from streamseg.spec import Clahe, ModelSpec
from streamseg.timing import stage

if TYPE_CHECKING:
    from streamseg.pixels import Image


class Segmenter:
    """Calls a backend on pictures. As many threads may use it at the same time as the backend has streams.

    >>> segment = Segmenter(load_backend())
    >>> segment("street.jpg").mask("road").mean()
    """

    def __init__(
        self,
        backend: Backend,
        clahe: ClaheMode = "auto",
        *,
        controls: Controls | None = None,
    ) -> None:
        """
        clahe: "auto" as the model was trained; "on" with the model's settings, or the usual ones if it has none.
        controls: to be followed in CLAHE from frame to frame, instead of `clahe`; None means that nothing changes.

        Raises:
            UsageError: `clahe` is another word.
        """
        self.backend = backend
        self._controls = controls or Controls(Settings(clahe=clahe_wanted(clahe, backend.spec)))

    @property
    def device(self) -> str:
        """What really runs the network."""
        return self.backend.device

    def give_up(self) -> None:
        """End a run of the network that hangs, from another thread, where its library can; nothing works after that."""
        getattr(self.backend, "give_up", lambda: None)()

    @property
    def clahe(self) -> Clahe | None:
        """What the next frame is equalised with; None for nothing."""
        return (self.backend.spec.clahe or Clahe()) if self._controls.settings.clahe else None

    def __call__(self, picture: Frame | Image | str | Path) -> Segmentation:
        """
        picture: a frame; an array, (height, width, 3) uint8 BGR, of any size; or the path of a picture file.

        Returns: the labels, with the frame: of an array and of a file one with index 0 and time 0.

        Raises:
            TypeError, ValueError: an array of another type or shape.
            SourceError: there is no such file, or it is no picture that can be read.
            ModelError: the network failed while running.
        """
        frame = picture if isinstance(picture, Frame) else _frame_of(picture)
        spec = self.backend.spec
        with stage("preprocess"):  # the rest is the network's time, which the pipeline measures
            batch = network_input(frame, spec, self.clahe)[np.newaxis]  # backends take batches, here of one
        labels = self.backend.infer(batch)[0]
        return Segmentation(frame, labels, spec.classes)


def _frame_of(picture: Image | str | Path) -> Frame:
    if not isinstance(picture, str | Path):
        return Frame(0, 0.0, picture)
    from streamseg.sources.image_folder import ImageFolderSource  # who has arrays needs no reader of files
    from streamseg.sources.suffixes import PICTURES

    path = Path(picture)
    problem = _why_no_picture(path, PICTURES) if str(picture) else "does not exist"  # an empty Path would be "."
    if problem:
        raise SourceError(
            f"'{picture}' {problem}; give an array or a file that ends in {', '.join(PICTURES)}. "
            "open_source reads videos, cameras and folders frame by frame"
        )
    return cast("Frame", ImageFolderSource(path).read())  # it has read the picture already, or has raised


def _why_no_picture(path: Path, suffixes: Collection[str]) -> str:
    """Empty for a file with the name of a picture."""
    try:
        if path.is_dir():
            return "is a folder"
        if not path.is_file():
            return "does not exist"
    except OSError as error:  # too long for a name, or in a folder that may not be looked into
        return f"cannot be read ({error.strerror})"
    return "" if path.suffix.lower() in suffixes else "is no picture"


def clahe_wanted(mode: ClaheMode, spec: ModelSpec) -> bool:
    """Whether frames for the model are equalised in this mode. Raises UsageError for another mode."""
    if mode not in get_args(ClaheMode):  # True, as somebody else's function takes it, would mean "off"
        raise UsageError(f"`clahe` must be one of {', '.join(get_args(ClaheMode))}, got {mode!r}")
    return mode == "on" or (mode == "auto" and spec.clahe is not None)

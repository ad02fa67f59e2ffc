"""What a training leaves for people to look at: tables, the curve, validation pictures, TensorBoard's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from train.config import Experiment
from train.contact_sheet import write_picture
from train.curve import draw_curve
from train.run_folder import CURVE, LOSSES, RunFolder
from train.tensorboard import Board

if TYPE_CHECKING:
    from streamseg.pixels import Image

CURVE_PICTURE, PICTURES, BOARD = "curve.png", "pictures", "tensorboard"

Row = dict[str, Any]
"""One epoch's figures by column."""


class Record:
    """The chief's notes in the run's folder. Epochs count from 1."""

    def __init__(self, experiment: Experiment, folder: RunFolder, tensorboard: bool) -> None:
        """tensorboard: write event files too."""
        self._steps, self._folder = experiment.steps_per_epoch, folder
        self._board = Board(folder.path / BOARD) if tensorboard else None

    def epoch(self, row: Row, losses: Sequence[float]) -> None:
        """One finished epoch.

        row: its line of the curve.
        losses: of each of its batches.
        """
        done = (row["epoch"] - 1) * self._steps
        steps = [{"step": done + place, "loss": f"{loss:.5g}"} for place, loss in enumerate(losses, 1)]
        self._folder.add_rows(LOSSES, steps, done)
        # the losses first: a kill between the two leaves an epoch without its line, which is done anew
        self._folder.add_rows(CURVE, [row], row["epoch"] - 1)
        draw_curve(self._folder.path / CURVE_PICTURE, self._folder.rows(CURVE), self._folder.rows(LOSSES))
        if self._board:
            for place, loss in enumerate(losses, 1):
                self._board.scalars(done + place, {"batch loss": loss})
            self._board.scalars(done + self._steps, board_scalars(row))
            self._board.flush()

    def pictures(self, epoch: int, sheet: Image) -> None:
        """A sheet of validation pictures after an epoch."""
        write_picture(self._folder.path / PICTURES / f"epoch_{epoch:04d}.png", sheet)
        if self._board:
            self._board.picture(epoch * self._steps, "validation pictures", sheet)


def board_scalars(row: Mapping[str, Any]) -> dict[str, float]:
    """An epoch's figures under TensorBoard's names, where a slash groups the classes' IoUs."""
    return {name.replace("iou ", "iou/"): value for name, value in row.items() if name not in ("epoch", "seconds")}

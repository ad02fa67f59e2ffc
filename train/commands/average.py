"""`python -m train average RUN... --out FOLDER`: one network from the weights of several trainings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from streamseg.errors import UsageError
from train.run_folder import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ITS_END = ":last"  # behind a folder's name: the weights after the last epoch in place of the best ones


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The new run folder.")
def main(runs: tuple[str, ...], out: Path) -> None:
    """Write the mean of the weights of several trainings, which must have begun with the same weights.

    RUN is a training's folder, for its best weights, or FOLDER:last, for those after its last epoch. The new folder
    has the first one's settings. Scores are often above those of each (Wortsman et al., Model soups, 2022).
    """
    experiments = [RunFolder(_folder(run)).experiment() for run in runs]
    network = RunFolder(_folder(runs[0])).network()
    mean = [np.zeros(each.shape) for each in network.weights]  # float64: the sum of many stays exact
    for run, experiment in zip(runs, experiments, strict=True):
        if experiment.classes != experiments[0].classes:
            raise UsageError(f"{run}: has other classes than {runs[0]}; average trainings of one config")
        weights = _weights(run)
        if [each.shape for each in weights] != [each.shape for each in mean]:
            raise UsageError(f"{run}: is another network than {runs[0]}; average trainings of one config")
        mean = [total + each / len(runs) for total, each in zip(mean, weights, strict=True)]
    network.set_weights(mean)
    RunFolder(out).keep(experiments[0], network)
    click.echo(
        f"{out}: the mean of {len(runs)} trainings' weights; score it with: python -m train.evaluate {out} DATASET"
    )


def _folder(run: str) -> Path:
    return Path(run.removesuffix(_AT_ITS_END))


def _weights(run: str) -> list[NDArray[Any]]:
    """Raises UsageError: there are none."""
    folder = RunFolder(_folder(run))
    if not run.endswith(_AT_ITS_END):
        return list(folder.network().get_weights())
    groups, _ = folder.load_state()
    # a training without a running average is judged by the weights themselves
    return groups.get("average") or groups["model"]

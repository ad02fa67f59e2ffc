"""`python -m train pack`: everything a config trains on and is scored on, in one file."""

from __future__ import annotations

from pathlib import Path

import click

from streamseg.errors import UsageError
from train.command_line import data_root
from train.config import load_config
from train.datasets import open_dataset
from train.datasets.packed import key_of
from train.packing import Part, most_useful, pack


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("config", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT.zip")
@data_root
@click.option("--megabytes", type=click.FloatRange(min=0, min_open=True), default=60, show_default=True,
              help="How large the file may be; the pictures' JPEG quality is chosen to fit.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace OUT.zip.")
def main(config: Path, out: Path, root: Path, megabytes: float, overwrite: bool) -> None:
    """Pack the data sets that CONFIG names into one file, which then stands in for the data root:
    python -m train CONFIG --data OUT.zip.

    Pictures larger than the training can use are made smaller; those of the validation data keep their size.
    """
    if out.exists() and not overwrite:
        raise UsageError(f"{out}: exists; give --overwrite to replace it")
    experiment = load_config(config)
    shares = [(share, most_useful(experiment)) for share in experiment.shares]
    shares += [(experiment.validation, None)] if experiment.validation else []  # type: ignore[list-item]
    parts: dict[str, Part] = {}
    for share, most in reversed(shares):  # what is scored on comes first here: where both have it, it keeps its size
        dataset = open_dataset(share.dataset, root, experiment.classes, **share.options)
        parts.setdefault(key_of(share.dataset, share.options), Part(share, dataset, most))
    quality = pack(list(parts.values()), experiment.classes, out, int(megabytes * 1e6))
    for part in parts.values():
        click.echo(f"{part.dataset.name}: {len(part.dataset)} pictures")
    click.echo(
        f"{out}: {out.stat().st_size / 1e6:.1f} MB, JPEG quality {quality}; train with: "
        f"python -m train {config} --data {out}"
    )

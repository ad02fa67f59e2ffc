"""`python -m train convert FOLDER`: give a run folder of an earlier version its settings as data."""

from __future__ import annotations

from pathlib import Path

import click

from train.run_folder import CONFIG, EXPERIMENT, RunFolder


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Run FOLDER's config.py, which is a program, and keep what it says in FOLDER/experiment.json.

    Only for folders whose config you would run: your own. Trainings do this themselves when they start.
    """
    RunFolder(folder).convert()
    click.echo(f"{folder / EXPERIMENT}: what {CONFIG} says, as data; nothing runs {CONFIG} any more")

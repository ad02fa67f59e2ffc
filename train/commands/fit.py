"""`python -m train CONFIG`: train what a config describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from train.command_line import data_root
from train.quiet import import_keras_quietly
from train.run_folder import RunFolder


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder.  [default: runs/CONFIG's name]")
@click.option("--resume", is_flag=True, help="Go on after the last finished epoch of --out, as it was started.")
@data_root
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the config's.")
@click.option("--steps-per-epoch", type=click.IntRange(min=1), help="Instead of the config's.")
@click.option("--batch", type=click.IntRange(min=1), help="Instead of the config's.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the config's.")
@click.option("--start-from", metavar="RUN", help="Begin with the best weights of the training in this folder.")
@click.option("--encoder-weights", help="File to start the encoder from, or 'none', instead of the config's.")
def main(config: Path, out: Path | None, resume: bool, root: Path, **changes: Any) -> None:
    """Train the network that the file CONFIG describes."""
    folder = RunFolder(out or Path("runs") / config.stem)
    if not resume:
        overrides = {name: value for name, value in changes.items() if value is not None}
        if overrides.get("encoder_weights") == "none":
            overrides["encoder_weights"] = None
        folder.start(config, overrides)
    experiment = folder.experiment()
    import_keras_quietly()
    from train.fit import Training

    training = Training(experiment, root, folder, click.echo)
    if resume:
        training.resume()
    training.run()
    click.echo(f"done: {folder.path}; export it with: python -m export {folder.path} model.onnx")

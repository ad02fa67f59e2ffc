"""`python -m train CONFIG` trains; `python -m train COMMAND` does what COMMANDS lists."""

from __future__ import annotations

import importlib
import sys

import click

from train.command_line import refuse_without, run

COMMANDS = {
    "fit": "train what a config describes; `python -m train CONFIG` is short for it",
    "folder": "your own labelled pictures, from the bundled weights to a model file",
    "layers": "names and output shapes of a network's layers",
    "architectures": "the networks with parameters, GFLOPs and milliseconds",
    "pack": "what a config trains on, in one file",
    "consistency": "how steady a network's labels are on clips",
    "pseudo-labels": "masks of what several models are sure of together, to train on",
    "soft-targets": "what a teacher thinks of every picture that a config trains on",
    "average": "one network from the weights of several trainings",
    "split": "set some pictures aside for validation, by seed",
    "augmentations": "a picture of what each augmentation does",
    "convert": "give a run folder of an earlier version its settings as data",
    "kitti-scene": "write the built-in scene in KITTI road's layout",
}
"""Name of a module in `train.commands`, with - for _, and what it does."""


def main() -> None:
    """Runs the command that the first word names; any other first word is the config of a training."""
    first, *rest = sys.argv[1:] or ["--help"]
    if first in ("-h", "--help"):
        click.echo("Usage: python -m train CONFIG|COMMAND [OPTIONS]\n\nCommands:")
        for name, what in COMMANDS.items():
            click.echo(f"  {name:15} {what}")
        click.echo("\npython -m train COMMAND --help says more.")
        return
    name, rest = (first, rest) if first in COMMANDS else ("fit", sys.argv[1:])
    sys.argv[1:] = rest
    # only the command that is asked for: some of them import TensorFlow
    try:
        command: click.Command = importlib.import_module(f"train.commands.{name.replace('-', '_')}").main
    except ModuleNotFoundError as error:
        refuse_without(error)
    run(command, f"python -m train {name}")


if __name__ == "__main__":
    main()

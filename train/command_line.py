"""What the commands of training and export share: the data root, and one line for each error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from streamseg.errors import StreamsegError

data_root = click.option(
    "--data",
    "root",
    type=click.Path(path_type=Path),
    default="data",
    envvar="STREAMSEG_DATA",
    show_default=True,
    help="Where the data sets are: a folder, or a file of python -m train pack.  [env: STREAMSEG_DATA]",
)


def run(command: click.Command, name: str) -> None:
    """Runs a command under the name the person typed; leaves with the exit codes of `streamseg.errors`."""
    try:
        sys.exit(command.main(prog_name=name, standalone_mode=False))
    # Ctrl-C at a prompt; 128 + SIGINT, as shells have it
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except StreamsegError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        refuse_without(error)


def refuse_without(error: ModuleNotFoundError) -> NoReturn:
    """One line for a package that is not installed, and the end; a module of the checkout itself is a fault of ours.

    Raises:
        ModuleNotFoundError: that one.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "train", "export", "benchmarks", "streamseg"):
        raise error
    click.echo(
        f"error: the package '{package}' is missing; install what training and export need, in the checkout: "
        "python -m pip install --group train --group export -e .",
        err=True,
    )
    sys.exit(1)

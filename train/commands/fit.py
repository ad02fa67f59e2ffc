"""`python -m train CONFIG`: train what a config describes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streamseg.errors import INTERRUPTED, UsageError
from train.cluster import STRATEGIES, Cluster, Strategy, cluster_from_environment
from train.command_line import data_root
from train.config import PRECISIONS, Experiment, load_config
from train.quiet import import_keras_quietly, quietly
from train.run_folder import STATE, RunFolder

if TYPE_CHECKING:
    from train.devices import Devices


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder.  [default: runs/CONFIG's name]")
@click.option("--resume", is_flag=True, help="Go on after the last finished epoch of --out, as it was started.")
@click.option("--strategy", type=click.Choice(STRATEGIES), default="auto", show_default=True,
              help="Devices that share each batch; auto is multi-worker where TF_CONFIG names several workers, "
                   "mirrored where there are several GPUs, else one.")  # fmt: skip
@click.option("--tensorboard", is_flag=True, help="Write event files for TensorBoard into --out.")
@data_root
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), metavar="N",
              help="Be done in N minutes: as many epochs and steps as this machine makes of them, with the learning "
                   "rate at zero in the end.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the config's.")
@click.option("--steps-per-epoch", type=click.IntRange(min=1), help="Instead of the config's.")
@click.option("--batch", type=click.IntRange(min=1), help="Instead of the config's.")
@click.option("--seed", type=click.IntRange(min=0), help="Instead of the config's.")
@click.option("--precision", type=click.Choice(PRECISIONS), help="Instead of the config's.")
@click.option("--start-from", metavar="RUN", help="Begin with the best weights of the training in this folder.")
@click.option("--encoder-weights", help="File to start the encoder from, or 'none', instead of the config's.")
@click.pass_context
def main(
    context: click.Context,
    /,
    config: Path,
    out: Path | None,
    resume: bool,
    strategy: Strategy,
    tensorboard: bool,
    root: Path,
    minutes: float | None,
    **changes: Any,
) -> None:
    """Train the network that the file CONFIG describes."""
    # relative to where the person is, as every other path on the command line
    folder = RunFolder(out or Path("runs") / config.stem)
    overrides = {name: value for name, value in changes.items() if value is not None}
    if overrides.get("encoder_weights") == "none":
        overrides["encoder_weights"] = None
    try:
        train(config, folder, overrides, resume, strategy, tensorboard, root, minutes)
    except KeyboardInterrupt:
        # what to type next, whole: a person who stops a training comes back days later
        again = f"python -m train {config} --out {folder.path}"
        way = f"go on with: {again} --resume" if (folder.path / STATE).exists() else f"no epoch was finished: {again}"
        click.echo(f"stopped; {way}", err=True)
        context.exit(INTERRUPTED)


def train(
    config: Path,
    folder: RunFolder,
    overrides: dict[str, Any],
    resume: bool,
    strategy: Strategy,
    tensorboard: bool,
    root: Path,
    minutes: float | None = None,
) -> None:
    """The command once its options are read; see `main`."""
    begun = time.perf_counter()
    cluster = cluster_from_environment()
    chief = cluster.worker == 0
    if minutes is not None:
        refuse_lengths(overrides, resume)
        folder.check_unused()
        devices = opened_devices(strategy, cluster)
        tried = replace(load_config(config), **overrides)
        overrides |= time_boxed(tried, root, folder, devices, begun + 60 * minutes)
        experiment = started(config, folder, overrides, chief)
    else:
        experiment = resumed(folder, overrides) if resume else started(config, folder, overrides, chief)
        devices = opened_devices(strategy, cluster)
    from train.fit import Training

    say: Callable[[str], None] = click.echo if chief else lambda _line: None
    training = Training(experiment, root, folder, devices, say, tensorboard)
    if resume:
        training.resume()
    training.run()
    say(f"done: {folder.path}; export it with: python -m export {folder.path} model.onnx")


def refuse_lengths(overrides: dict[str, Any], resume: bool) -> None:
    """Raises UsageError where something else says already how long the training is."""
    others = [f"--{name.replace('_', '-')}" for name in ("epochs", "steps_per_epoch") if name in overrides]
    if resume:
        raise UsageError("--resume goes on as the training was started; leave out --minutes")
    if others:
        raise UsageError(f"--minutes chooses epochs and steps itself; leave out {', '.join(others)}")


def time_boxed(experiment: Experiment, root: Path, folder: RunFolder, devices: Devices, until: float) -> dict[str, int]:
    """The fields that make the training end in time, after a trial of a few steps that leaves nothing.

    until: what `time.perf_counter()` will say then.
    """
    import keras

    from train.fit import Training
    from train.time_box import fitted

    click.echo("measuring how fast this machine is ...", err=True)
    started = time.perf_counter()
    pace = Training(experiment, root, folder, devices, lambda _line: None).pace(started)
    keras.utils.clear_session()  # the trial's network goes before the real one comes
    chosen = fitted(experiment, until - time.perf_counter(), pace)
    chosen = {name: round(devices.agreed(value)) for name, value in chosen.items()}  # all workers the chief's
    if devices.cluster.worker == 0:
        click.echo(
            f"{pace.step_s * 1000:.0f} ms a step, {pace.epoch_s:.1f} s a score: {chosen['epochs']} epochs of "
            f"{chosen['steps_per_epoch']} steps"
        )
    return chosen


def started(config: Path, folder: RunFolder, overrides: dict[str, Any], chief: bool) -> Experiment:
    """A new experiment, every worker from its own command line; the chief puts it into the folder."""
    experiment = replace(load_config(config), **overrides)
    folder.check_unused()
    if chief:
        folder.start(config, overrides)
    return experiment


def resumed(folder: RunFolder, overrides: dict[str, Any]) -> Experiment:
    """The experiment as it was started."""
    if overrides:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in overrides)
        raise UsageError(f"--resume goes on as the training was started; leave out {options}")
    return folder.experiment()


def opened_devices(strategy: Strategy, cluster: Cluster) -> Devices:
    """The devices, with Keras imported; TensorFlow joins a cluster only before its first operation."""

    def choose() -> Devices:
        from train.devices import chosen_devices

        return chosen_devices(strategy, cluster)

    if strategy not in ("auto", "multi-worker") or cluster.workers == 1:
        import_keras_quietly()
    return quietly(choose)

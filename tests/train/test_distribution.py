"""Trainings that several devices or processes share are those of one."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamseg.errors import UsageError
from tests.striped import striped_config
from tests.waiting import PATIENCE_S
from train.cluster import Cluster, cluster_from_environment
from train.config import Experiment, Share
from train.fit import check_shares
from train.run_folder import CURVE, LOSSES, RunFolder

pytestmark = [pytest.mark.training, pytest.mark.xdist_group("trainings")]

CHECKOUT = Path(__file__).parents[2]

TWO_DEVICES = """
import runpy, sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
sys.argv = ["train", *sys.argv[1:]]
runpy.run_module("train", run_name="__main__")
"""


@pytest.fixture
def start():
    """Starts a Python process in the checkout, with TF_CONFIG if given; those still there at the end are killed."""
    processes = []

    def run(*arguments: object, tf_config: str = "") -> subprocess.Popen[str]:
        environment = {**os.environ, "TF_CONFIG": tf_config, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, *map(str, arguments)]
        processes.append(
            subprocess.Popen(
                command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def free_addresses(count: int) -> list[str]:
    """Addresses on loopback where nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def start_workers(start, config, run, *options):
    """Two processes of one training, as TF_CONFIG tells them."""
    cluster = {"worker": free_addresses(2)}
    return [
        start("-m", "train", config, "--out", run, *options,
              tf_config=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}))
        for index in range(2)
    ]  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    """What a process printed, once it ended well."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return out


def same_curve_and_weights(run, other) -> None:
    """To the tolerance of additions in another order."""
    tables = []
    for folder in (run, other):
        with (folder / LOSSES).open(newline="") as file:
            tables.append([float(row["loss"]) for row in csv.DictReader(file)])
    assert tables[0] == pytest.approx(tables[1], rel=1e-4)
    first, second = (RunFolder(folder).load_state()[0] for folder in (run, other))
    for group in ("model", "average"):
        for ours, theirs in zip(first[group], second[group], strict=True):
            assert ours == pytest.approx(theirs, abs=2e-4, rel=1e-3)
    moved = max(np.abs(a - b).max() for a, b in zip(first["model"], first["average"], strict=True))
    assert moved > 1e-3, "the weights did change"


def test_two_workers_and_two_devices_get_the_weights_of_one_process(start, tmp_path):
    """The same global batch, by TF_CONFIG on loopback and by logical devices: batch statistics, weighted mean, soft
    Jaccard, clipping and the running average are those of the whole batch; only the chief writes and talks."""
    config = striped_config(tmp_path, clip_norm=0.5, average_decay=0.9)
    one, two, mirrored = tmp_path / "one", tmp_path / "two", tmp_path / "mirrored"
    alone = start("-m", "train", config, "--out", one)
    chief, other = start_workers(start, config, two)
    devices = start("-c", TWO_DEVICES, config, "--out", mirrored, "--strategy", "mirrored")
    assert "done" in ended(alone)
    assert "done" in ended(devices)
    assert "done" in ended(chief)
    assert ended(other) == ""
    same_curve_and_weights(mirrored, one)
    same_curve_and_weights(two, one)
    assert sorted(path.name for path in two.iterdir()) == sorted(path.name for path in one.iterdir())
    assert len((two / CURVE).read_text().splitlines()) == 4


def test_each_process_knows_its_place_from_tf_config(monkeypatch):
    """A chief comes before the workers; without TF_CONFIG, or without a cluster in it, there is one process."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cluster_from_environment() == Cluster(0, 1)
    monkeypatch.setenv("TF_CONFIG", '{"task": {"type": "worker", "index": 0}}')
    assert cluster_from_environment() == Cluster(0, 1)
    cluster = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    for task, place in ((("chief", 0), 0), (("worker", 0), 1), (("worker", "1"), 2)):
        told = {"cluster": cluster, "task": {"type": task[0], "index": task[1]}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(told))
        assert cluster_from_environment() == Cluster(place, 3)


@pytest.mark.parametrize(
    "told", ["nonsense", "[1]", '{"cluster": {"worker": ["a:1"]}}',
             '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}'],
)  # fmt: skip
def test_a_tf_config_of_another_form_is_refused(monkeypatch, told):
    """In one line with what came."""
    monkeypatch.setenv("TF_CONFIG", told)
    with pytest.raises(UsageError, match="TF_CONFIG must be JSON with a cluster") as caught:
        cluster_from_environment()
    assert "\n" not in str(caught.value)


def test_a_batch_that_does_not_divide_is_refused_with_the_nearest_that_does():
    """Every replica takes an equal part."""
    experiment = Experiment(name="any", shares=(Share("synthetic"),), batch=7)
    with pytest.raises(UsageError, match="divisible by the 2 devices that share it, got 7; the nearest is 8"):
        check_shares(experiment, 2)
    check_shares(experiment, 1)


def test_several_workers_without_tf_config_are_refused(train_command, tiny_config, tmp_path):
    """One line that says what is missing."""
    done = train_command("train", tiny_config, "--out", tmp_path / "run", "--strategy", "multi-worker", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --strategy multi-worker needs TF_CONFIG with two workers or more")
    assert len(done.stderr.splitlines()) == 1

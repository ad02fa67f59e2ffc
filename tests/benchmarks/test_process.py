"""Programs are measured with their children."""

import signal
import subprocess
import sys

import psutil
import pytest

from benchmarks.process import alone, measured
from tests.waiting import PATIENCE_S, wait_until

_BUSY_CHILD = """
import subprocess, sys, time
busy = "import time; block = bytearray(200_000_000)\\nwhile time.process_time() < 0.6: pass"
code = busy if len(sys.argv) < 2 else "raise SystemExit('no luck')"
sys.exit(subprocess.run([sys.executable, "-c", code]).returncode)
"""


def test_time_and_memory_of_a_program_s_children_count():
    """A child that works for half a second and holds 200 MB."""
    done = measured([sys.executable, "-c", _BUSY_CHILD])
    assert done.code == 0
    assert done.cpu_s > 0.5
    assert done.wall_s > 0.5
    assert done.peak_mb > 200


def test_a_program_that_fails_tells_why_in_one_line():
    """Its exit code and the last that it said."""
    done = measured([sys.executable, "-c", _BUSY_CHILD, "fail"])
    assert done.reason == "exit code 1: no luck"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_stops_a_measurement_stops_what_is_measured(number):
    """No program goes on in the background and takes the time of what is measured next."""
    code = (
        "import signal, sys; from benchmarks.process import measured; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # background jobs inherit an ignored one
        "measured([sys.executable, '-c', %r])"
    )
    sleeping = "import time; time.sleep(3600)"
    measuring = subprocess.Popen([sys.executable, "-c", code % sleeping], stderr=subprocess.DEVNULL)
    family = psutil.Process(measuring.pid)
    children = wait_until(
        lambda: [each for each in family.children() if sleeping in each.cmdline()], "no program is measured"
    )
    measuring.send_signal(number)
    measuring.wait(PATIENCE_S)
    assert not psutil.wait_procs(children, PATIENCE_S)[1]


def test_a_program_can_be_kept_to_some_cores(tmp_path):
    """It sees the one core that it was given, in the folder it was given."""
    code = "import os; print(len(os.sched_getaffinity(0)), os.getcwd(), os.environ['GIVEN'])"
    done = measured([sys.executable, "-c", code], cores=[0], folder=tmp_path, environment={"GIVEN": "so"})
    assert done.out.split() == ["1", str(tmp_path.resolve()), "so"]


def test_a_lock_is_held_while_the_block_runs(tmp_path):
    """And let go of behind it: it can be taken again."""
    for _ in range(2):
        with alone(tmp_path / "lock"):
            pass
    with alone(None):
        pass

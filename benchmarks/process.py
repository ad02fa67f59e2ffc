"""Other programs, run and measured: wall time, processor time and memory, of their children too."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

try:
    import psutil
except ModuleNotFoundError:  # before anything is measured; every program here comes by this file
    raise SystemExit(
        "error: the package 'psutil' is missing; install what benchmarks need, in the checkout: "
        "python -m pip install --group bench -e ."
    ) from None

_SAMPLE_S = 0.1
_LOOK_FOR_CHILDREN = 10  # samples between two looks, which cost more than a sample


@dataclass(frozen=True)
class Finished:
    """A program that has ended.

    code: its exit status.
    wall_s: from its start to its end.
    cpu_s: processor time of it and its children.
    peak_mb: the most resident memory that it and its children had at one moment, in MB of 1e6 bytes.
    """

    code: int
    out: str
    err: str
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def reason(self) -> str:
        """The last line it said on standard error, for one that failed."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return f"exit code {self.code}: {lines[-1][:160] if lines else 'it did not say why'}"


def measured(
    command: Sequence[str | Path],
    *,
    cores: Sequence[int] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Finished:
    """Run a program to its end.

    cores: those it may run on; None leaves that as it is.
    environment: variables added to this process's.
    folder: its current one.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _stopped_by_exception():
        start_s, process = time.perf_counter(), None
        try:
            with _signals_held():  # one that came between its start and its name here would leave it running
                process = subprocess.Popen(
                    # before the program begins, so that its thread pools are made for these cores
                    [*(("taskset", "-c", ",".join(map(str, cores))) if cores else ()), *map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env={**os.environ, **(environment or {})},
                    cwd=folder,
                )
            memory = _Memory(process.pid)
            # the only call that tells the processor time of one child and its own
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # or it would take the time of whatever is measured next
            if process is not None:
                process.kill()
                process.wait()
            raise
        wall_s = time.perf_counter() - start_s
        process.returncode = os.waitstatus_to_exitcode(status)
        peak_mb = memory.peak_mb()
        cpu_s = usage.ru_utime + usage.ru_stime
        return Finished(process.returncode, _text(out), _text(err), wall_s, cpu_s, peak_mb)


@contextmanager
def _stopped_by_exception() -> Iterator[None]:
    """SIGTERM raises SystemExit meanwhile, as Ctrl-C raises KeyboardInterrupt; on the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)


@contextmanager
def _signals_held() -> Iterator[None]:
    """SIGTERM and Ctrl-C that come meanwhile come at its end; on the main thread only."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # not blocked by a mask, which the program would inherit
    usual = {
        each: signal.signal(each, lambda number, _: came.append(number)) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in usual.items():
            signal.signal(each, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


@contextmanager
def alone(lock: Path | None) -> Iterator[None]:
    """Hold a lock file meanwhile, so that whoever else heeds it (`flock FILE ...`) waits; None holds nothing."""
    if lock is None:
        yield
        return
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


class _Memory:
    """Watches how much memory a program and its children have, from a thread.

    What the system itself keeps as a program's peak would not do: it counts what this process had when it started it.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def peak_mb(self) -> float:
        """End watching; the peak in MB of 1e6 bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak / 1e6

    def _watch(self) -> None:
        samples = 0
        family: list[psutil.Process] = []
        while not self._ended.wait(_SAMPLE_S):
            try:
                if samples % _LOOK_FOR_CHILDREN == 0:
                    main = psutil.Process(self._pid)
                    family = [main, *main.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            samples += 1
            self._peak = max(self._peak, sum(map(_resident, family)))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0

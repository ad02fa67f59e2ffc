"""`streamseg doctor`: does everything this machine needs really work, and if not, what helps?"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamseg import __version__
from streamseg.checks import cleaned
from streamseg.errors import StreamsegError

if TYPE_CHECKING:
    from streamseg.backends import Engine

_ENCODERS = {
    "libx264": "H.264 in .mp4 and .mkv",
    "libvpx-vp9": "VP9 in .webm",
    "aac": "sound in .mp4",
    "libopus": "sound in .webm",
    "h264_nvenc": "H.264 on an NVIDIA GPU",
    "h264_videotoolbox": "H.264 on a Mac",
    "h264_vaapi": "H.264 on Intel or AMD",
}
_DECODERS = ("h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "gif")
_NEEDED = ("libx264", "aac", "h264")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ok: True works, False does not and is needed, None does not and can be done without."""

    topic: str
    name: str
    ok: bool | None
    detail: str


def doctor_command(*, as_json: bool, retune: bool = False) -> int:
    """Print all findings. Returns 0 when nothing that is needed is broken, else 1.

    retune: forget what trials found for any model first, so that the bundled one is tried anew here, others when they
        are run next.
    """
    if retune:  # before anything is loaded, since loading asks what is kept
        from streamseg.backends.trial_cache import TrialCache

        TrialCache().clear()
    findings = [finding for look in _LOOKS for finding in _safely(look)]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in findings], indent=2))
    else:
        _print(findings)
    return 1 if any(each.ok is False for each in findings) else 0


def _print(findings: list[Finding]) -> None:
    signs = {
        True: click.style("ok  ", fg="green"),
        False: click.style("FAIL", fg="red"),
        None: click.style("-   ", dim=True),
    }
    topic = ""
    for each in findings:
        if each.topic != topic:
            topic = each.topic
            click.echo(click.style(topic, bold=True))
        click.echo(f"  {signs[each.ok]} {each.name:<26} {cleaned(each.detail)}")


def _safely(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A look that breaks is itself a finding."""
    try:
        return list(look())
    except Exception as error:
        name = look.__name__.strip("_")
        return [Finding(name, type(error).__name__, False, " ".join(str(error).split()))]


def _versions() -> Iterator[Finding]:
    from streamseg.backends.engines import versions

    topic = "versions"
    yield Finding(topic, "streamseg", True, __version__)
    yield Finding(topic, "Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}")
    for name in ("numpy", "opencv-python", "av"):  # without these nothing runs; engines may be missing
        try:
            yield Finding(topic, name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(topic, name, False, "not installed")
    for name, version in versions().items():
        yield Finding(topic, name, True, version)


def _opencv() -> Iterator[Finding]:
    topic = "OpenCV"
    try:
        import cv2
    except ImportError as error:
        help_ = "on Debian or Ubuntu: apt-get install libgl1 libglib2.0-0; Fedora: dnf install mesa-libGL glib2"
        yield Finding(topic, "system libraries", False, f"{error}; {help_}")
        return
    yield Finding(topic, "system libraries", True, "found")
    backends = [cv2.videoio_registry.getBackendName(each) for each in cv2.videoio_registry.getCameraBackends()]
    yield Finding(topic, "camera back ends", bool(backends) or None, ", ".join(backends) or "none")


def _compiled_code() -> Iterator[Finding]:
    from streamseg.native import why_not

    reason = why_not()
    found = f"not in use: {reason}" if reason else "in use"
    yield Finding("frame path", "compiled code", None if reason else True, found)


def _model_and_devices() -> Iterator[Finding]:
    from streamseg.backends import ENGINES, find_model, load_backend
    from streamseg.backends.sizes import offered_sizes, shown_sizes

    topic = "network"
    for engine in ENGINES:
        for device in engine.devices or (engine.name,):  # one that cannot be loaded has a name only
            yield _device(topic, engine, device.removesuffix("[:N]"))
    try:
        backend = load_backend()
        yield Finding(topic, "--device auto", True, f"takes {backend.device}, model {backend.spec.name}")
        # As of --device auto, it is the bundled model that is asked: of others, `streamseg info` tells.
        yield Finding(topic, "--size", True, shown_sizes(offered_sizes(find_model())))
        if backend.choice:
            yield Finding(topic, "--precision auto", True, backend.choice.reason)
    except StreamsegError as error:
        yield Finding(topic, "--device auto", False, str(error))


def _device(topic: str, engine: Engine, device: str) -> Finding:
    """Whether a device of an engine runs the bundled model, in the way a run would take. Only "auto" must."""
    from streamseg.backends import load_backend
    from streamseg.backends.engines import why_not

    if reason := why_not(engine):
        return Finding(topic, device, None, f"does not run: {reason}")
    try:
        backend = load_backend(device=device)
    except StreamsegError as error:
        return Finding(topic, device, None, f"does not run: {error}")
    facts = [fact for fact in (backend.device, engine.hardware(), *backend.notes) if fact]
    return Finding(topic, device, True, f"really runs the bundled model: {', '.join(facts)}")


def _codecs() -> Iterator[Finding]:
    import av

    for name, use in _ENCODERS.items():
        yield _codec(name, "w", use, av.Codec)
    for name in _DECODERS:
        yield _codec(name, "r", "", av.Codec)


def _codec(name: str, mode: str, use: str, codec: Callable[..., object]) -> Finding:
    topic = "encoders" if mode == "w" else "decoders"
    try:
        codec(name, mode)
    except ValueError:
        return Finding(
            topic, name, False if name in _NEEDED else None, f"not in this FFmpeg build {use and f'({use})'}"
        )
    reason = _hardware_problem(name)
    return Finding(topic, name, True if reason is None else None, use if reason is None else f"does not work: {reason}")


def _hardware_problem(name: str) -> str | None:
    """Why an encoder in hardware does not work; None for others."""
    from streamseg.sinks.hardware_encoders import HARDWARE_ENCODERS, why_not

    kind = next((kind for kind, hardware in HARDWARE_ENCODERS.items() if hardware.codec.name == name), None)
    return why_not(kind, (720, 1280)) if kind else None


def _display_and_cameras() -> Iterator[Finding]:
    from streamseg.sinks.window import display_available

    shown = display_available()
    found = "found; live sources open a window" if shown else "none; live sources are shown as a page in a browser"
    yield Finding("screen", "display", True if shown else None, found)
    # Only looked for: opening one takes it from whoever has it, and lights its lamp.
    cameras = sorted(str(path) for path in Path("/dev").glob("video*"))
    yield Finding("cameras", "devices", True if cameras else None, ", ".join(cameras) or "none found under /dev/video*")


_LOOKS = (_versions, _opencv, _compiled_code, _model_and_devices, _codecs, _display_and_cameras)

"""onnxruntime's CPU in the place of a GPU: everything but the arithmetic is what a GPU would get."""

from __future__ import annotations

import pytest

from streamseg.backends import io_binding, nvidia
from streamseg.backends.io_binding import Memory
from streamseg.backends.ort import ort
from streamseg.errors import ModelError


def show_gpu(patch: pytest.MonkeyPatch) -> None:
    """Let the driver show one."""
    patch.setattr(nvidia, "gpus", lambda: ("Pretended GPU",))


class PretendedGpu:
    """A GPU that works.

    opened: provider, settings and sizes of each session so far.
    graphs: whether it can capture.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.opened: list[tuple[str, dict[str, str], dict[str, int]]] = []
        self.graphs = True
        show_gpu(patch)
        patch.setattr(nvidia, "open_session", self._open)
        patch.setattr(io_binding, "Memory", lambda *_: Memory("cpu"))

    def _open(self, model, provider, settings, sizes):
        """As `open_session`, on the CPU."""
        self.opened.append((provider, dict(settings), dict(sizes)))
        if not self.graphs and "1" in (settings.get("enable_cuda_graph"), settings.get("trt_cuda_graph_enable")):
            raise ModelError("This session cannot use the graph capture feature as requested by the user")
        options = ort.SessionOptions()
        for name, size in sizes.items():
            options.add_free_dimension_override_by_name(name, size)
        return ort.InferenceSession(str(model), options, ["CPUExecutionProvider"])

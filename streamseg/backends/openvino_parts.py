"""A network in two parts for OpenVINO, so that each can be computed in a precision of its own.

The large pictures of a network's first layers are where rounding to bf16 changes the most labels, and where it saves
the least: there are few channels to multiply. The plugin for processors has one precision for a whole model, so the
model is cut, and what crosses the cut stays where the first part wrote it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from streamseg.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONVOLUTIONS = ("Convolution", "GroupConvolution")
_SMALL = 8  # times smaller than the input is where the second part begins


def in_two(library: Any, model: Any, height: int) -> list[Any]:
    """The model up to the first convolution that gives a picture an eighth as high, and the rest; the model is used up.

    library: the module `openvino`.
    model: an `openvino.Model` of fixed sizes.
    height: of its input, pixels.

    Raises:
        ModelError: the network does not make its picture that small.
    """
    first = _first_part(model.get_ordered_ops(), height // _SMALL)
    names = {operation.get_friendly_name() for operation in first}
    results, parameters = [], []
    for operation in first:
        if operation.get_type_name() in ("Constant", "Result"):
            continue
        for output in operation.outputs():
            beyond = [each for each in output.get_target_inputs() if each.get_node().get_friendly_name() not in names]
            if beyond:
                parameter = library.op.Parameter(output.get_element_type(), output.get_partial_shape())
                for each in beyond:
                    each.replace_source_output(parameter.output(0))
                parameters.append(parameter)
                results.append(library.op.Result(output))
    return [
        library.Model(results, model.get_parameters(), "first"),
        library.Model(model.get_results(), parameters, "rest"),
    ]


def _first_part(operations: Sequence[Any], small: int) -> list[Any]:
    """Those up to the convolution that first gives `small` rows, and what follows it until the next convolution."""
    reached = False
    for place, operation in enumerate(operations):
        if operation.get_type_name() in _CONVOLUTIONS:
            if reached:
                return list(operations[:place])
            reached = operation.get_output_shape(0)[2] <= small
    raise ModelError(
        f"precision 'mixed' is for networks that make their picture {_SMALL} times smaller; use --precision fp32"
    )


class Requests:
    """Parts of a network one after the other, for one thread."""

    def __init__(self, compiled: Sequence[Any]) -> None:
        """compiled: the parts; the outputs of each are the inputs of the next, in order."""
        self._requests = [each.create_infer_request() for each in compiled]
        for before, after in pairwise(self._requests):
            for place in range(len(after.model_inputs)):
                after.set_input_tensor(place, before.get_output_tensor(place))

    def infer(self, inputs: Any, *, share_outputs: bool) -> Any:
        """The outputs of the last part by name. share_outputs: they may be overwritten by the next call."""
        *before, last = self._requests
        for request in before:
            request.infer(inputs, share_inputs=True, share_outputs=True)
            inputs = None  # it is there already
        return last.infer(inputs, share_inputs=True, share_outputs=share_outputs)

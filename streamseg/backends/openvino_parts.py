"""A network in two parts for OpenVINO, so that each can be computed in a precision of its own.

The large pictures of a network's first layers are where rounding to bf16 changes the most labels, and where it saves
the least: there are few channels to multiply. The plugin for processors has one precision for a whole model, so the
model is cut, and what crosses the cut stays where the first part wrote it.

Where kernels have no more bits than bf16, only what flows between layers is rounded, and three convolutions in fp32 are
enough. Other kernels are rounded too, each always the same way, which adds up over more layers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from streamseg.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CONVOLUTIONS = ("Convolution", "GroupConvolution")
_FEW = 3  # convolutions of the first part, where kernels have bf16's bits
_SMALL = 8  # times smaller than the input is where the second part begins elsewhere
_TO_NHWC, _TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def in_two(library: Any, model: Any, height: int) -> list[Any]:
    """The first layers of a model, and the rest; the model is used up.

    The first part ends with the third convolution if all kernels have no more bits than bf16, and else with the first
    one that gives a picture an eighth as high.

    library: the module `openvino`.
    model: an `openvino.Model` of fixed sizes.
    height: of its input, pixels.

    Raises:
        ModelError: the network is not deep enough, or does not make its picture that small.
    """
    first = _first_part(model.get_ordered_ops(), height)
    names = {operation.get_friendly_name() for operation in first}
    results, parameters = [], []
    for operation in first:
        if operation.get_type_name() in ("Constant", "Result"):
            continue
        for output in operation.outputs():
            beyond = [each for each in output.get_target_inputs() if each.get_node().get_friendly_name() not in names]
            if beyond:
                result, parameter, crossed = _crossing(library, output)
                for each in beyond:
                    each.replace_source_output(crossed)
                parameters.append(parameter)
                results.append(result)
    return [
        library.Model(results, model.get_parameters(), "first"),
        library.Model(model.get_results(), parameters, "rest"),
    ]


def _crossing(library: Any, output: Any) -> tuple[Any, Any, Any]:
    """The first part's result, the second's parameter, and in it what stands for `output`.

    Pictures cross with their channels last, as convolutions have them in memory, so that no part has to bring them
    into another order.
    """
    shape, kind = [each.get_length() for each in output.get_partial_shape()], output.get_element_type()
    if len(shape) != len(_TO_NHWC):
        parameter = library.op.Parameter(kind, library.PartialShape(shape))
        return library.op.Result(output), parameter, parameter.output(0)
    parameter = library.op.Parameter(kind, library.PartialShape([shape[axis] for axis in _TO_NHWC]))
    last, first = (_transposed(library, *each) for each in ((output, _TO_NHWC), (parameter.output(0), _TO_NCHW)))
    return library.op.Result(last), parameter, first


def _transposed(library: Any, output: Any, order: Sequence[int]) -> Any:
    operations = library.opset13
    return operations.transpose(output, operations.constant(np.array(order, np.int64))).output(0)


def _first_part(operations: Sequence[Any], height: int) -> list[Any]:
    """Those up to the last convolution that is to be in fp32, and what follows it until the next one."""
    convolutions = [each for each in operations if each.get_type_name() in _CONVOLUTIONS]
    short = all(_has_bf16_bits(each) for each in convolutions)
    seen, reached = 0, False
    for place, operation in enumerate(operations):
        if operation.get_type_name() not in _CONVOLUTIONS:
            continue
        if reached:
            return list(operations[:place])
        seen += 1
        reached = seen == _FEW if short else operation.get_output_shape(0)[2] <= height // _SMALL
    needs = f"have more than {_FEW} convolutions" if short else f"make their picture {_SMALL} times smaller"
    raise ModelError(f"precision 'mixed' is for networks that {needs}; fp32 is for all")


def _has_bf16_bits(convolution: Any) -> bool:
    """Whether the kernel is a constant of numbers that bf16 has, and so loses nothing in it."""
    for operation in _upstream(convolution.input_value(1).get_node()):
        if operation.get_type_name() == "Constant":
            wide = np.asarray(operation.data).astype(np.float32)
            return not np.any(wide.view(np.uint32) & 0xFFFF)
    return False


def _upstream(operation: Any) -> Iterable[Any]:
    """The operation, and along first inputs those before it."""
    yield operation
    while operation.get_input_size():
        operation = operation.input_value(0).get_node()
        yield operation


class Requests:
    """Parts of a network one after the other, for one thread.

    Inputs and outputs are handed over as memory: OpenVINO's conversions from and to dictionaries of arrays take more of
    the interpreter's time than anything else on a frame's way.
    """

    def __init__(self, library: Any, compiled: Sequence[Any]) -> None:
        """
        library: the module `openvino`.
        compiled: the parts; the outputs of each are the inputs of the next, in order.
        """
        self._tensor = library.Tensor
        self._requests = [each.create_infer_request() for each in compiled]
        for before, after in pairwise(self._requests):
            for place in range(len(after.model_inputs)):
                after.set_input_tensor(place, before.get_output_tensor(place))
        ports = self._requests[-1].model_outputs
        self._outputs = [(name, place) for place, port in enumerate(ports) for name in port.get_names()]

    def infer(self, tensor: Any) -> dict[str, Any]:
        """The outputs of the last part by name; the next call writes over them.

        tensor: for the only input, however it lies in memory.
        """
        shared = np.require(tensor, requirements=("C", "W"))  # OpenVINO shares no other; a copy where it is neither
        self._requests[0].set_input_tensor(self._tensor(shared, shared_memory=True))
        for request in self._requests:
            request.infer(share_outputs=True)
        return {name: request.get_output_tensor(place).data for name, place in self._outputs}

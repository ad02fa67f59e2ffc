#!/bin/bash
# Guess: a linear Resize of uint8 gives the same bytes in every runtime, the interpolated value rounded to the nearest.
# Seen:  onnxruntime cuts the fraction off (1.75 becomes 1), OpenVINO rounds (1.75 becomes 2). Where a graph resizes bytes
#        before its first convolution, the two runtimes see pictures that differ by one grey level in nearly half the pixels.
# With:  onnxruntime 1.31.0, openvino 2026.4.1, onnx 1.23.2, CPU.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install onnxruntime==1.31.0 openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6
ORT_DISABLE_TELEMETRY=1 env/bin/python - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper


def doubled(kind):
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear")
    graph = helper.make_graph(
        [node],
        "doubled",
        [helper.make_tensor_value_info("x", kind, [1, 1, 4, 8])],
        [helper.make_tensor_value_info("y", kind, None)],
        [helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def by_onnxruntime(model, x):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


x = (np.arange(32).reshape(1, 1, 4, 8) * 7).astype(np.uint8)
exact = by_onnxruntime(doubled(TensorProto.FLOAT), x.astype(np.float32))
first = by_onnxruntime(doubled(TensorProto.UINT8), x)
onnx.save(doubled(TensorProto.UINT8), "doubled.onnx")
second = openvino.Core().compile_model("doubled.onnx", "CPU")(x)[0]
print("exact       ", exact[0, 0, 0, :6])
print("onnxruntime ", first[0, 0, 0, :6])
print("OpenVINO    ", second[0, 0, 0, :6])
print(f"pixels that differ: {np.mean(first != second):.0%}")
assert (first == np.floor(exact)).all(), "onnxruntime no longer cuts the fraction off"
assert (second == np.rint(exact)).all(), "OpenVINO no longer rounds to the nearest"
PYTHON

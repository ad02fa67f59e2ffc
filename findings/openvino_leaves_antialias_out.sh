#!/bin/bash
# Guess: Resize with antialias=1 (ONNX opset 18) widens the filter while shrinking, in every runtime that takes the model.
# Seen:  OpenVINO loads the model without a word and computes it as if antialias were 0; onnxruntime follows it. A network
#        that shrinks its own input this way gets another picture, aliased, and other labels.
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


def quarter(antialias):
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear", antialias=antialias)
    graph = helper.make_graph(
        [node],
        "quarter",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 0.25, 0.25])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


stripes = np.zeros((1, 1, 4, 16), np.float32)
stripes[..., 1::4] = 100  # one bright column in four: a quarter of the light
rows = {}
for antialias in (0, 1):
    model = quarter(antialias)
    onnx.save(model, "quarter.onnx")
    session = onnxruntime.InferenceSession("quarter.onnx", providers=["CPUExecutionProvider"])
    rows["onnxruntime", antialias] = session.run(None, {"x": stripes})[0][0, 0, 0]
    rows["OpenVINO", antialias] = openvino.Core().compile_model("quarter.onnx", "CPU")(stripes)[0][0, 0, 0]
for (library, antialias), row in rows.items():
    print(f"{library:12} antialias={antialias}  {row}")
assert np.allclose(rows["OpenVINO", 0], rows["OpenVINO", 1]), "OpenVINO follows antialias now"
assert not np.allclose(rows["onnxruntime", 0], rows["onnxruntime", 1]), "onnxruntime no longer follows antialias"
PYTHON

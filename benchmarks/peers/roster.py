"""Which programs are compared, and what each needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """
    program: a file of `programs/`, without its suffix.
    requirements: what pip installs for it, its own names and nothing else.
    own_network: the program of `programs/` that makes its network; None where it runs the same file as streamseg.
    note: what a reader of the table must know.
    """

    name: str
    program: str
    requirements: tuple[str, ...]
    own_network: str | None = None
    note: str = ""


PEERS = (
    Peer("OpenCV loop", "opencv_loop", ("opencv-python", "onnxruntime")),
    Peer("OpenCV DNN", "opencv_dnn", ("opencv-python",)),
    Peer("supervision", "supervision_video", ("supervision", "opencv-python", "onnxruntime")),
    Peer("OpenVINO async", "openvino_async", ("openvino", "opencv-python")),
    Peer("OpenVINO Model API", "model_api_pipeline", ("openvino-model-api[onnx]",)),
    Peer(
        "Ultralytics",
        "ultralytics_predict",
        ("ultralytics", "onnx", "onnxslim", "onnxruntime"),
        own_network="ultralytics_network",
        note="its own YOLO26n-sem at 512x288 with random weights, since its trained ones are not in the package; "
        "painting depends on what a network finds",
    ),
)

ENVIRONMENT = {"YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false", "ORT_DISABLE_TELEMETRY": "1"}
"""What keeps programs from doing other things meanwhile."""

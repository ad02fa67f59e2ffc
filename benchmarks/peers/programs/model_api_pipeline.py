"""OpenVINO Model API's AsyncPipeline, with its preprocessing embedded in the network."""

import time
from typing import Any

import cv2
import numpy as np
from given import Given
from model_api.adapters import OpenvinoAdapter, create_core
from model_api.models import SegmentationModel
from model_api.pipelines import AsyncPipeline

REQUESTS = 3


class LabelModel(SegmentationModel):
    """The class ids are the network's own output, so nothing is left to be decided behind it."""

    __model__ = "Labels"

    def postprocess(self, outputs: dict[str, Any], meta: dict[str, Any]) -> np.ndarray:
        """At the size of the frame."""
        height, width = meta["original_shape"][:2]
        labels = outputs[self.output_blob_name][0]
        return cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)


given = Given()
adapter = OpenvinoAdapter(
    create_core(),
    given.model,
    device="CPU",
    plugin_config={"PERFORMANCE_HINT": "THROUGHPUT"},
    max_num_requests=REQUESTS,
    model_parameters={"input_layouts": "frames:NHWC"},
)
pipeline = AsyncPipeline(LabelModel(adapter))
colors = np.array(given.colors, np.uint8)[:, ::-1]

capture = cv2.VideoCapture(given.clip)
size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
fourcc = cv2.VideoWriter.fourcc(*"mp4v")
writer = cv2.VideoWriter(str(given.output / "overlay.mp4"), fourcc, capture.get(cv2.CAP_PROP_FPS), size)


def write(result: tuple[np.ndarray, dict[str, Any]]) -> None:
    """Paint and write one finished frame."""
    labels, meta = result
    writer.write(cv2.addWeighted(meta["frame"], 0.5, colors[labels], 0.5, 0))
    given.frame_done(meta["began_s"])


given.ready()
submitted = written = 0
while True:
    if (result := pipeline.get_result(written)) is not None:
        write(result)
        written += 1
    elif pipeline.is_ready():
        began_s = time.perf_counter()
        ok, frame = capture.read()
        if not ok:
            break
        pipeline.submit_data(frame, submitted, {"frame": frame, "began_s": began_s})
        submitted += 1
    else:
        pipeline.await_any()
pipeline.await_all()
while (result := pipeline.get_result(written)) is not None:
    write(result)
    written += 1
capture.release()
writer.release()
given.finished()

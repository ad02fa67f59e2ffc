"""OpenVINO with several inference requests at once, as Open Model Zoo's demos do, and OpenCV around it."""

import time
from collections import deque

import cv2
import numpy as np
import openvino as ov
from given import Given

REQUESTS = 3

given = Given()
compiled = ov.compile_model(given.model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
colors = np.array(given.colors, np.uint8)[:, ::-1]
free = deque(compiled.create_infer_request() for _ in range(REQUESTS))
running: deque[tuple[ov.InferRequest, np.ndarray, float]] = deque()

capture = cv2.VideoCapture(given.clip)
size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
fourcc = cv2.VideoWriter.fourcc(*"mp4v")
writer = cv2.VideoWriter(str(given.output / "overlay.mp4"), fourcc, capture.get(cv2.CAP_PROP_FPS), size)


def write_oldest() -> None:
    """Wait for the request that was started first, and write its frame."""
    request, frame, began_s = running.popleft()
    request.wait()
    labels = request.get_output_tensor().data[0]
    mask = cv2.resize(colors[labels], size, interpolation=cv2.INTER_NEAREST)
    writer.write(cv2.addWeighted(frame, 0.5, mask, 0.5, 0))
    free.append(request)
    given.frame_done(began_s)


given.ready()
while True:
    began_s = time.perf_counter()
    ok, frame = capture.read()
    if not ok:
        break
    if not free:
        write_oldest()
    request = free.popleft()
    request.start_async({0: cv2.resize(frame, given.input_size)[np.newaxis]})
    running.append((request, frame, began_s))
while running:
    write_oldest()
capture.release()
writer.release()
given.finished()

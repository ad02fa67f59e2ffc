"""OpenCV and onnxruntime in one loop, the way most tutorials write it."""

import time

import cv2
import numpy as np
import onnxruntime as ort
from given import Given

given = Given()
session = ort.InferenceSession(given.model, providers=["CPUExecutionProvider"])
input_name = session.get_inputs()[0].name
colors = np.array(given.colors, np.uint8)[:, ::-1]

capture = cv2.VideoCapture(given.clip)
size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
fourcc = cv2.VideoWriter.fourcc(*"mp4v")
writer = cv2.VideoWriter(str(given.output / "overlay.mp4"), fourcc, capture.get(cv2.CAP_PROP_FPS), size)

given.ready()
while True:
    began_s = time.perf_counter()
    ok, frame = capture.read()
    if not ok:
        break
    batch = cv2.resize(frame, given.input_size)[np.newaxis]
    labels = session.run(None, {input_name: batch})[0][0]
    mask = cv2.resize(colors[labels], size, interpolation=cv2.INTER_NEAREST)
    writer.write(cv2.addWeighted(frame, 0.5, mask, 0.5, 0))
    given.frame_done(began_s)
capture.release()
writer.release()
given.finished()

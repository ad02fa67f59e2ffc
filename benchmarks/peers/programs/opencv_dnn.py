"""The same loop with OpenCV's own inference instead of onnxruntime."""

import time

import cv2
import numpy as np
from given import Given

given = Given()
net = cv2.dnn.readNetFromONNX(given.model)
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
    net.setInput(cv2.resize(frame, given.input_size)[np.newaxis])
    labels = net.forward()[0].astype(np.uint8)
    mask = cv2.resize(colors[labels], size, interpolation=cv2.INTER_NEAREST)
    writer.write(cv2.addWeighted(frame, 0.5, mask, 0.5, 0))
    given.frame_done(began_s)
capture.release()
writer.release()
given.finished()

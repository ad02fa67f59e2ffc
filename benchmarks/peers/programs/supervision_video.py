"""supervision's `process_video` around onnxruntime: a mask for each class, drawn by its MaskAnnotator."""

import time

import cv2
import numpy as np
import onnxruntime as ort
import supervision as sv
from given import Given

given = Given()
session = ort.InferenceSession(given.model, providers=["CPUExecutionProvider"])
input_name = session.get_inputs()[0].name
palette = sv.ColorPalette([sv.Color(*color) for color in given.colors])
annotator = sv.MaskAnnotator(color=palette, opacity=0.5)


def segmented(frame: np.ndarray, _index: int) -> np.ndarray:
    """The frame with its masks."""
    began_s = time.perf_counter()
    batch = cv2.resize(frame, given.input_size)[np.newaxis]
    labels = session.run(None, {input_name: batch})[0][0]
    labels = cv2.resize(labels, frame.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    class_ids = np.unique(labels)
    masks = labels[np.newaxis] == class_ids[:, np.newaxis, np.newaxis]
    detections = sv.Detections(xyxy=sv.mask_to_xyxy(masks), mask=masks, class_id=class_ids.astype(int))
    painted = annotator.annotate(frame.copy(), detections)
    given.frame_done(began_s)
    return painted


given.ready()
sv.process_video(given.clip, str(given.output / "overlay.mp4"), segmented, preserve_audio=True)
given.finished()

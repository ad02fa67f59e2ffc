"""Ultralytics' own `predict` on its own segmentation network, which `ultralytics_network.py` made."""

from given import Given
from ultralytics import YOLO

given = Given()
model = YOLO(given.model, task="semantic")
given.ready()
frames, own_ms = 0, 0.0
for result in model.predict(
    given.clip, stream=True, save=True, verbose=False, imgsz=[288, 512], project=str(given.output), name="predict"
):
    frames += 1
    own_ms += sum(result.speed.values())
given.finished(own_fps=1000 * frames / own_ms)

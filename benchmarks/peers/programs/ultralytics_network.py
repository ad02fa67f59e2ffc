"""Makes the network of `ultralytics_predict.py`, once: exported to ONNX, as Ultralytics advises for CPUs.

    PROGRAM.py FILE.onnx

Trained weights are not in the package, so the network has random ones: as much work, nothing to look at.
"""

import sys
from pathlib import Path

from ultralytics import YOLO

network = YOLO("yolo26n-sem.yaml")
Path(network.export(format="onnx", imgsz=[288, 512])).rename(sys.argv[1])

#!/bin/bash
# Guess: CLAHE of a mirrored picture is the mirrored CLAHE, but for rounding, as its tiles lie symmetrically.
# Seen:  only at sizes that the tiles divide evenly. At others OpenCV widens the picture at its right and lower edge alone, so
#        that all tiles shift: 17 grey levels between the two at 320x180 with 8x8 tiles, on a smooth picture. Averaging a
#        network over a picture and its mirror image averages over two different contrasts, too.
# With:  opencv-python-headless 5.0.0.93.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install opencv-python-headless==5.0.0.93 numpy==2.4.6
env/bin/python - <<'PYTHON'
import cv2
import numpy as np

clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8))
largest = {}
for width, height in ((512, 288), (320, 180)):
    noise = np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.uint8)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 9), None, 0, 255, cv2.NORM_MINMAX)
    there_and_back = cv2.flip(clahe.apply(cv2.flip(smooth, 1)), 1)
    largest[width, height] = int(np.abs(clahe.apply(smooth).astype(int) - there_and_back).max())
    print(f"{width}x{height}: largest difference {largest[width, height]} grey levels")
assert largest[512, 288] <= 1, "sizes that divide evenly are no longer symmetric"
assert largest[320, 180] >= 10, "sizes that do not divide evenly have become symmetric"
PYTHON

"""Turns a training into one self-describing ONNX file: `python -m export RUN model.onnx`. Never installed."""

#!/bin/bash
# Guess: Keras' BatchNormalization on TensorFlow trains with TensorFlow's one operation for it, FusedBatchNorm, as it did
#        before Keras 3.
# Seen:  a training step of the layer is means, squared differences and products, each of which goes through memory by
#        itself; no FusedBatchNorm is in the graph. Whoever takes the one operation instead must know that its variance is
#        n / (n - 1) times the batch's own, which is what Keras averages.
# With:  keras 3.15.1, tensorflow 2.21.0, CPU.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
python3 -m venv env
env/bin/pip -q install keras==3.15.1 tensorflow==2.21.0 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 KERAS_BACKEND=tensorflow env/bin/python - <<'PYTHON'
import keras
import numpy as np
import tensorflow as tf

layer = keras.layers.BatchNormalization()
layer.build((None, None, None, 8))


@tf.function
def step(pictures):
    return layer(pictures, training=True)


graph = step.get_concrete_function(tf.TensorSpec((4, 16, 16, 8))).graph
kinds = sorted({operation.type for operation in graph.get_operations()} - {"Const", "Identity", "NoOp", "Placeholder"})
print("a step of the layer:", ", ".join(kinds))
pictures = np.random.default_rng(0).normal(size=(1, 2, 2, 8)).astype(np.float32)
ones, zeros = np.ones(8, np.float32), np.zeros(8, np.float32)
variance = tf.compat.v1.nn.fused_batch_norm(pictures, ones, zeros, is_training=True)[2].numpy()
factor = float(np.mean(variance / pictures.var(axis=(0, 1, 2))))
print(f"variance of the one operation over 4 pixels: {factor:.3f} times the batch's own")
assert not any("FusedBatchNorm" in kind for kind in kinds), "Keras takes the one operation now"
assert abs(factor - 4 / 3) < 1e-3, "the one operation gives another variance now"
PYTHON

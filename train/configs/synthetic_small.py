"""The whole way in minutes and without any data: a small network on the built-in scene.

    python -m train train/configs/synthetic_small.py

Hardware: two CPU cores, about two minutes; mean IoU on unseen scenes about 0.34 (road 0.8).
"""

from train.config import Experiment, Share

SCENE = {"size": (160, 288), "count": 80, "views": 8, "keep": "runs/synthetic_small_pictures"}

EXPERIMENT = Experiment(
    name="fcn8s-squeezenet-synthetic",
    options={"widths": (64, 48, 32)},
    size=(160, 288),
    shares=(Share("synthetic", 1.0, SCENE),),
    validation=Share("synthetic-unseen", 1.0, SCENE | {"count": 16}),
    batch=4,
    epochs=10,
    steps_per_epoch=50,
    learning_rate=2e-3,
    warmup_steps=50,
    class_weight_power=0.3,
    loss_stride=2,
    licence="MIT: learned from the built-in scene only",
    about={"data": "the built-in scene"},
)

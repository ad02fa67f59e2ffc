"""The reference network from scratch and without any data: road or not road in the built-in scene.

    python -m train kitti-scene data/scene --count 300
    python -m train split kitti-road --validation 48 --data data/scene --out runs/split/scene
    python -m train train/configs/fcn8s_vgg16_synthetic.py --data data/scene

The same network and files as fcn8s_vgg16_kitti_road.py, smaller and without published weights. Hardware: two CPU cores,
22 minutes while they had other work too. Score: road IoU 0.874, mean IoU 0.916 on the 48 pictures set aside.
"""

from dataclasses import replace

from streamseg.spec import Clahe, SegmentClass
from train.augment import Augmentation
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-vgg16-synthetic",
    architecture="fcn8s-vgg16",
    options={"scaling": "raw", "keep": 0.5},
    classes=(SegmentClass(0, "not road", (90, 90, 90)), SegmentClass(1, "road", (60, 220, 90))),
    size=(96, 320),
    shares=(Share("kitti-road", 1.0, {"samples": "runs/split/scene/train.txt"}),),
    validation=Share("kitti-road", 1.0, {"samples": "runs/split/scene/val.txt"}),
    scored_size=(96, 320),
    clahe=Clahe(),
    clahe_share=1.0,
    augmentation=replace(Augmentation.none(), flip=0.5),
    batch=4,
    epochs=10,
    steps_per_epoch=30,
    learning_rate=1e-4,
    warmup_steps=10,
    weight_decay=0.0,
    average_decay=0.0,
    licence="MIT: learned from the built-in scene only",
    about={"data": "the built-in scene in KITTI road's layout"},
)

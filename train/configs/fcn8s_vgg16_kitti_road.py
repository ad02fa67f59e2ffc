"""The reference: road or not road from KITTI road, with FCN-8s on VGG16 from its ImageNet weights.

    python -m train split kitti-road --validation 48 --data data
    python -m train train/configs/fcn8s_vgg16_kitti_road.py --data data

`split` sets 48 of the 289 labelled pictures aside; 30 batches of 8 see the other 241 once. Hardware: a GPU is wanted;
two CPU cores take hours. Score: none to quote yet, the data set must be downloaded by hand.
"""

from dataclasses import replace

from streamseg.spec import Clahe, SegmentClass
from train.augment import Augmentation
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-vgg16-kitti-road",
    architecture="fcn8s-vgg16",
    options={"scaling": "raw", "keep": 0.5},
    encoder_weights="imagenet",
    classes=(SegmentClass(0, "not road", (90, 90, 90)), SegmentClass(1, "road", (60, 220, 90))),
    size=(160, 576),
    shares=(Share("kitti-road", 1.0, {"samples": "runs/split/kitti_road/train.txt"}),),
    validation=Share("kitti-road", 1.0, {"samples": "runs/split/kitti_road/val.txt"}),
    clahe=Clahe(),
    clahe_share=1.0,
    augmentation=replace(Augmentation.none(), flip=0.5),
    batch=8,
    epochs=40,
    steps_per_epoch=30,
    learning_rate=1e-4,
    warmup_steps=30,
    weight_decay=0.0,
    average_decay=0.0,
    licence="weights for non-commercial use only: trained on KITTI (CC BY-NC-SA)",
    about={"data": "KITTI road, 241 of the 289 training pictures", "encoder": "VGG16, ImageNet"},
)

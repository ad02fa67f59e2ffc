"""The bundled network: a light FCN-8s for CPUs, CamVid's eleven classes and the own car.

    python -m train train/configs/fcn8s_efficientnet_lite0_camvid.py --data data

Hardware: two CPU cores, 74 minutes while they had other work too. Score: mean IoU 0.701 on CamVid val. The second part,
fcn8s_efficientnet_lite0_camvid_finish.py, goes on from there with every layer.
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.classes import ROAD_SCENE_CLASSES
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-efficientnet-lite0-camvid",
    architecture="fcn8s-efficientnet-lite0",
    options={"widths": (128, 96, 64), "separable": True},
    encoder_weights="imagenet",
    frozen_to="block2_add",  # edges and blobs of ImageNet serve here too, and two thirds of a step remain
    classes=ROAD_SCENE_CLASSES,
    size=(288, 512),
    shares=(
        Share("camvid-train", 0.52),
        Share("idd-lite-seen", 0.27),
        Share("synthetic", 0.11, {"count": 240, "keep": "runs/synthetic"}),
        Share("comma10k", 0.06),
        Share("kitti-road", 0.04),
    ),
    validation=Share("camvid-val"),
    validate_every=6,
    scored_size=(360, 480),
    clahe=Clahe(clip_limit=2.0, tiles=(8, 8)),
    clahe_share=0.8,
    augmentation=Augmentation(scale=(0.7, 1.8), bonnet=0.14),
    batch=8,
    epochs=30,
    steps_per_epoch=100,
    learning_rate=1e-3,
    warmup_steps=100,
    weight_decay=1e-2,
    class_weight_power=0.2,
    jaccard_weight=0.5,
    average_decay=0.997,
    loss_stride=2,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train (367), IDD-Lite train less every tenth drive, comma10k (11), KITTI road (10), synthetic",
        "encoder": "EfficientNet-Lite0, ImageNet",
    },
)

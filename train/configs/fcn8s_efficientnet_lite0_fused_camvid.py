"""The bundled network: EfficientNet-Lite0 with fused first blocks, from the weights of the one without.

    python -m train train/configs/fcn8s_efficientnet_lite0_fused_camvid.py \\
        --start-from train/checkpoints/fcn8s-efficientnet-lite0-camvid
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.classes import ROAD_SCENE_CLASSES
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-efficientnet-lite0-fused-camvid",
    architecture="fcn8s-efficientnet-lite0-fused",
    options={"widths": (128, 96, 64), "separable": True},
    classes=ROAD_SCENE_CLASSES,
    size=(288, 512),
    shares=(
        Share("camvid-train", 0.56),
        Share("idd-lite-seen", 0.27),
        Share("synthetic", 0.07, {"count": 240, "keep": "runs/synthetic"}),
        Share("comma10k", 0.06),
        Share("kitti-road", 0.04),
    ),
    validation=Share("camvid-val"),
    validate_every=2,
    scored_size=(360, 480),
    clahe=Clahe(clip_limit=2.0, tiles=(8, 8)),
    clahe_share=0.85,
    augmentation=Augmentation(scale=(0.7, 1.6), bonnet=0.12),
    batch=8,
    epochs=24,
    steps_per_epoch=100,
    learning_rate=1e-3,
    warmup_steps=100,
    weight_decay=1e-2,
    class_weight_power=0.15,
    jaccard_weight=0.5,
    average_decay=0.997,
    loss_stride=2,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train (367), IDD-Lite train less every tenth drive, comma10k (11), KITTI road (10), synthetic",
        "encoder": "EfficientNet-Lite0, ImageNet",
    },
)

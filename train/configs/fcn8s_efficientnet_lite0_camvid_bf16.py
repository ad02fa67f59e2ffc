"""The bundled network, third part: arithmetic in bf16, as fast processors do it.

    python -m train train/configs/fcn8s_efficientnet_lite0_camvid_bf16.py \\
        --start-from runs/fcn8s_efficientnet_lite0_camvid_finish

Hardware: two CPU cores, 16 minutes while they had other work too. Score: mean IoU 0.703 on CamVid val; the rest is in
the model card, streamseg/models/fcn8s-efficientnet-lite0-camvid.md.
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.classes import ROAD_SCENE_CLASSES
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-efficientnet-lite0-camvid",
    architecture="fcn8s-efficientnet-lite0",
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
    clahe_share=0.9,
    augmentation=Augmentation(scale=(0.8, 1.5), stretch=0.1, rotation_deg=3.0, bonnet=0.12),
    batch=8,
    epochs=4,
    steps_per_epoch=100,
    precision="mixed_bfloat16",
    learning_rate=5e-4,
    warmup_steps=50,
    weight_decay=1e-2,
    class_weight_power=0.1,
    jaccard_weight=0.5,
    average_decay=0.995,
    loss_stride=2,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train (367), IDD-Lite train less every tenth drive, comma10k (11), KITTI road (10), synthetic",
        "encoder": "EfficientNet-Lite0, ImageNet",
    },
)

"""The bundled network, second part: whole pictures, the loss at full size, and classes weighted less.

    python -m train train/configs/fcn8s_squeezenet_camvid_finish.py --start-from runs/fcn8s_squeezenet_camvid

After the first part rare classes are found too often (class_weight_power 0.4: precision 0.4 to 0.6 at recall 0.8 to
0.9), and the network has only seen crops. Hardware: two CPU cores, 14 minutes. Score: mean IoU 0.612 on CamVid val; the
rest is in the model card, streamseg/models/fcn8s-squeezenet-camvid.md.
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-squeezenet-camvid",
    architecture="fcn8s-squeezenet",
    size=(288, 512),
    shares=(
        Share("camvid-train", 0.60),
        Share("idd-lite-seen", 0.18),
        Share("synthetic", 0.15, {"count": 240, "keep": "runs/synthetic"}),
        Share("comma10k", 0.05),
        Share("kitti-road", 0.02),
    ),
    validation=Share("camvid-val"),
    scored_size=(360, 480),
    clahe=Clahe(clip_limit=2.0, tiles=(8, 8)),
    clahe_share=0.8,
    augmentation=Augmentation(scale=(0.8, 1.5), stretch=0.1, rotation_deg=3.0),
    batch=8,
    epochs=14,
    steps_per_epoch=80,
    learning_rate=6e-4,
    warmup_steps=40,
    weight_decay=5e-3,
    class_weight_power=0.15,
    average_decay=0.99,
    loss_stride=1,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train (367), IDD-Lite train less every tenth drive, comma10k (11), KITTI road (10), synthetic",
        "encoder": "SqueezeNet v1.1, ImageNet",
    },
)

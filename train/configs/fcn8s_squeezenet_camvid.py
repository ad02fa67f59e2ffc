"""The bundled network: a light FCN-8s for CPUs, eleven CamVid classes.

    python -m train train/configs/fcn8s_squeezenet_camvid.py --data data

Hardware: two CPU cores, about 50 minutes. Score: mean IoU 0.596 on CamVid val at its best; the second part,
fcn8s_squeezenet_camvid_finish.py, goes on from there.
"""

from streamseg.spec import Clahe
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-squeezenet-camvid",
    architecture="fcn8s-squeezenet",
    encoder_weights="weights/squeezenet_v1.1_imagenet_notop.h5",
    size=(288, 512),
    crop=(288, 384),
    shares=(
        Share("camvid-train", 0.56),
        Share("idd-lite-seen", 0.20),
        Share("synthetic", 0.17, {"count": 240, "keep": "runs/synthetic"}),
        Share("comma10k", 0.05),
        Share("kitti-road", 0.02),
    ),
    validation=Share("camvid-val"),
    scored_size=(360, 480),
    clahe=Clahe(clip_limit=2.0, tiles=(8, 8)),
    clahe_share=0.7,
    batch=8,
    epochs=40,
    steps_per_epoch=100,
    learning_rate=1.5e-3,
    warmup_steps=150,
    weight_decay=5e-3,
    class_weight_power=0.4,
    average_decay=0.99,
    loss_stride=2,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train (367), IDD-Lite train less every tenth drive, comma10k (11), KITTI road (10), synthetic",
        "encoder": "SqueezeNet v1.1, ImageNet",
    },
)

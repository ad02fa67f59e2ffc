"""The teacher of the light network: the same mix of roads, a larger encoder and a larger picture.

    python -m train train/configs/fcn8s_efficientnet_lite2_roads_teacher.py

Its soft targets, kept once, teach the light one. A step is 3.4 times the light network's arithmetic (4.32 GFLOPs a crop
against 1.27), so it wants a GPU, or days; `--minutes N` fits it into what there is. Not run yet.

Crops are 0.71 of a whole input and scales begin at 0.6, as for the light one, so that many crops hold a whole picture.
The weights are a data set's passes times its pictures, see fcn8s_efficientnet_lite0_roads.py.
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.classes import ROADSIDE_CLASSES
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-efficientnet-lite2-roads-teacher",
    architecture="fcn8s-efficientnet-lite2",
    options={"widths": (192, 128, 96), "separable": True},
    classes=ROADSIDE_CLASSES,
    size=(384, 672),
    crop=(320, 576),
    shares=(
        Share("camvid-train", 734),
        Share("idd-lite-seen", 1270),
        Share("acdc-seen", 500),
        Share("dashcam-hand-seen", 300),
        Share("comma10k", 130),
        Share("lums-campus", 200),
        Share("kitti-road", 60),
        Share("kitti-road-test", 60, loss_weight=0.5),
        Share("synthetic", 170, {"count": 240, "keep": "runs/synthetic"}),
        Share("bdd-road-pseudo", 400, loss_weight=0.5),
        Share("dashcam-road-pseudo", 300, loss_weight=0.5),
    ),
    validation=Share("camvid-val"),
    also_validated=(Share("acdc-unseen"), Share("dashcam-hand-unseen")),
    validate_every=8,
    pictures_every=40,
    scored_size=(360, 480),
    clahe=Clahe(clip_limit=2.0, tiles=(8, 8)),
    clahe_share=0.5,
    augmentation=Augmentation(
        scale=(0.6, 1.6),
        stretch=0.3,
        rotation_deg=4.0,
        portrait=0.08,
        wide=0.06,
        fog=0.06,
        rain=0.07,
        snow=0.05,
        reflection=0.08,
        bonnet=0.15,
        dashboard=0.07,
        night=0.1,
        blur=0.15,
        noise=0.15,
        letterbox=0.06,
    ),
    encoder_weights="imagenet",
    batch=8,
    epochs=1200,
    steps_per_epoch=25,
    learning_rate=1e-3,
    warmup_steps=500,
    decay_share=0.5,
    weight_decay=1e-2,
    class_weight_power=0.1,
    jaccard_weight=0.5,
    average_decay=0.998,
    loss_stride=2,
    seed=14,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train, IDD-Lite train less every tenth drive, ACDC (seen drives), dashcam frames labelled by "
        "hand, comma10k, LUMS campus, KITTI road and its testing part, BDD100K and dashcam frames labelled by "
        "networks, synthetic",
        "encoder": "EfficientNet-Lite2, ImageNet",
    },
)

"""Many roads in one network: CamVid's eleven classes, the own car and the verge, from ten data sets.

    python -m train train/configs/fcn8s_efficientnet_lite0_roads.py

A long part at one learning rate, which may be stopped (--resume) and goes on for as many days as there are: its result
at any time is the running average of the weights. Another short training that starts from it, with a rate that falls to
zero, ends it.

It begins with the bundled network's weights, and trains on crops that cost 0.58 of a whole input: scales begin at 0.6,
so that many crops hold a whole picture. Hardware: two CPU cores. Scores: train/LEADERBOARD.md.

Every pixel counts alike but for those that networks labelled, which count half. The weights are a data set's passes
times its pictures: CamVid 3.3, IDD-Lite 1, ACDC 12, dashcam-hand 22, comma10k 20, LUMS 0.7, KITTI road 6, its testing
part 0.4, synthetic 1.2, pseudo 0.7.
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.classes import ROADSIDE_CLASSES
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-efficientnet-lite0-roads",
    architecture="fcn8s-efficientnet-lite0",
    options={"widths": (128, 96, 64), "separable": True},
    classes=ROADSIDE_CLASSES,
    size=(288, 512),
    crop=(224, 384),
    shares=(
        Share("camvid-train", 1200),
        Share("idd-lite-seen", 1270),
        Share("acdc-seen", 500),
        Share("dashcam-hand-seen", 450),
        Share("comma10k", 220),
        Share("lums-campus", 200),
        Share("kitti-road", 60),
        Share("kitti-road-test", 60, loss_weight=0.5),
        Share("synthetic", 300, {"count": 240, "keep": "runs/synthetic"}),
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
        bonnet=0.2,
        dashboard=0.07,
        night=0.1,
        blur=0.15,
        noise=0.15,
        letterbox=0.06,
    ),
    start_from="train/checkpoints/fcn8s-efficientnet-lite0-camvid",
    # few pixels are sure to be verge; most may be it or a pavement, or it or a tree
    begins_as={"verge": ("pavement", "tree")},
    batch=8,
    epochs=3000,
    steps_per_epoch=25,
    learning_rate=4e-4,
    warmup_steps=100,
    decay_share=0.0,
    weight_decay=1e-2,
    class_weight_power=0.1,
    jaccard_weight=0.5,
    average_decay=0.998,
    loss_stride=2,
    seed=13,
    licence="weights for non-commercial and research use only; see LICENSE.weights.md",
    about={
        "data": "CamVid train, IDD-Lite train less every tenth drive, ACDC (seen drives), dashcam frames labelled by "
        "hand, comma10k, LUMS campus, KITTI road and its testing part, BDD100K and dashcam frames labelled by "
        "networks, synthetic",
        "encoder": "EfficientNet-Lite0, ImageNet",
    },
)

"""Weights that may be used for anything: learned only from what is free for commercial use.

    python -m train train/configs/fcn8s_efficientnet_lite0_free.py

The scene built into streamseg, comma10k and the LUMS campus, on an encoder under Apache-2.0. What comes out is given
away with train/licences/fcn8s-efficientnet-lite0-free.md. Only the built-in scene tells all classes apart, and only
comma10k's few pictures show a real street with the own car, so expect it far behind the network that learned from
everything. Not run yet: no score is known.

The best epoch is chosen on unseen built-in scenes, so that no other data has a part in the weights. Nothing here may
begin with, or learn from the labels of, a network that was trained on data for research only: that leaves out
`start_from` the bundled network, pseudo-labels and a teacher. The weights are a data set's passes times its pictures:
the scene 2, comma10k 30, LUMS 1.5. Rare things are pasted from the scene, since nothing else here has them.
"""

from streamseg.spec import Clahe
from train.augment import Augmentation
from train.classes import ROADSIDE_CLASSES
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-efficientnet-lite0-free",
    architecture="fcn8s-efficientnet-lite0",
    options={"widths": (128, 96, 64), "separable": True},
    classes=ROADSIDE_CLASSES,
    size=(288, 512),
    crop=(224, 384),
    shares=(
        Share("synthetic", 960, {"count": 480, "keep": "runs/synthetic"}),
        Share("comma10k", 330),
        Share("lums-campus", 425),
    ),
    validation=Share("synthetic-unseen"),
    validate_every=8,
    pictures_every=40,
    clahe=Clahe(clip_limit=2.0, tiles=(8, 8)),
    clahe_share=0.5,
    augmentation=Augmentation(
        scale=(0.6, 1.6),
        # the scene's pictures are drawn and all alike in their colours; the real ones lend it theirs
        style=0.3,
        chains=0.2,
        paste=0.2,
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
    epochs=600,
    steps_per_epoch=25,
    learning_rate=1e-3,
    warmup_steps=100,
    decay_share=0.5,
    weight_decay=1e-2,
    class_weight_power=0.1,
    jaccard_weight=0.5,
    average_decay=0.998,
    loss_stride=2,
    seed=15,
    licence="weights under Apache-2.0, of data free for commercial use; see fcn8s-efficientnet-lite0-free.md",
    about={
        "data": "the scene built into streamseg (MIT), comma10k (MIT), LUMS campus (MIT)",
        "encoder": "EfficientNet-Lite0, ImageNet (Apache-2.0)",
    },
)

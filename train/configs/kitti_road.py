"""Road or not road from KITTI road alone, with the light network.

    python -m train train/configs/kitti_road.py --data data

Hardware: two CPU cores. Not trained on the whole of KITTI road yet: no score to quote.
"""

from streamseg.spec import Clahe, SegmentClass
from train.config import Experiment, Share

EXPERIMENT = Experiment(
    name="fcn8s-squeezenet-kitti-road",
    encoder_weights="weights/squeezenet_v1.1_imagenet_notop.h5",
    classes=(SegmentClass(0, "not road", (90, 90, 90)), SegmentClass(1, "road", (60, 220, 90))),
    size=(160, 576),
    shares=(Share("kitti-road"),),
    clahe=Clahe(),
    clahe_share=0.7,
    batch=8,
    epochs=40,
    steps_per_epoch=50,
    learning_rate=1e-3,
    loss_stride=2,
    licence="weights for non-commercial use only: trained on KITTI (CC BY-NC-SA)",
    about={"data": "KITTI road, training part"},
)

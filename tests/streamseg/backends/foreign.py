"""The description of `builders.logits_model`, as somebody would write it beside the file."""

TOML = """
name = "elsewhere"
height = 48
width = 64
channel_order = "rgb"
classes = [
    { name = "dark", color = [20, 20, 220] },
    { name = "middle", color = [20, 220, 20] },
    { name = "bright", color = [220, 20, 20] },
]
[tensors]
layout = "nchw"
input_dtype = "float32"
scale = 0.00392156862745098
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
output = "logits"
"""

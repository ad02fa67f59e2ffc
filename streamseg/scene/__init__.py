"""The procedural driving scene behind `synthetic:`: a road, what stands and moves beside it, its light and weather.

Everything is a function of (seed, place along the road) or (seed, time), so any moment can be drawn on its own:
nothing is simulated step by step and nothing has to be remembered between frames.

World coordinates, metres: `s` along the road, `x` across it (right is positive, 0 is the middle of the road),
`y` up from the road's surface. Camera coordinates add `z`, the distance ahead of the camera.
"""

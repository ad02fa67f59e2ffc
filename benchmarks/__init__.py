"""Measurements beyond `streamseg bench`; each prints what it measured and how to do it again."""

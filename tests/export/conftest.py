"""The tiny training that tests of training and export share."""

from tests.tiny_training import tiny_config, train_command

__all__ = ["tiny_config", "train_command"]

"""The same clip through other programs, side by side with streamseg."""

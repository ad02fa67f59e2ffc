"""One command of `python -m train` a file; each has a click command called `main`."""

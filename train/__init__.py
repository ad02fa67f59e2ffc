"""Trains the networks: `python -m train CONFIG`, from a checkout. Never installed, never imported by the runtime."""

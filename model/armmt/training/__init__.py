"""Training data, losses and loops."""

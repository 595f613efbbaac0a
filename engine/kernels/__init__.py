"""Compiled loops: each takes and returns numpy arrays and knows nothing of the model."""

"""The engine: model, snapshot, kernels, analyses and the stores behind one contract."""

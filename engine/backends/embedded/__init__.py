"""The embedded store: a folder with a log of Parquet batches, a graph derived from it, and runs."""

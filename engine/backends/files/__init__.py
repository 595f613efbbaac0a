"""What stores do with files of their own, wherever those files are kept.

Tables on the way in and run tables on the way out are Parquet, read by DuckDB, whatever
keeps the graph.
"""

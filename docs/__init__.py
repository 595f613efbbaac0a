"""The documentation, and what writes the part of it that stands in the code."""

"""From export files to canonical tables."""

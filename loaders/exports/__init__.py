"""Known export shapes: one file each, with its mapping as SQL beside it."""

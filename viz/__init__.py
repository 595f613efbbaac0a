"""Stand-alone pages and pictures of what a run found."""

"""One file a page: from a run to what its template is given."""

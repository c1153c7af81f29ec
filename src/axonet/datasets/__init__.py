"""Rendered views on disk: manifests, the view store, splits, and the jobs that make them. Nothing here needs torch."""

"""Metrics as small pure functions of arrays: how ties, duplicates and groups count is said where it is computed."""

"""Replicas of the servers that axonet downloads from: for tests, and to try commands by hand without a network."""

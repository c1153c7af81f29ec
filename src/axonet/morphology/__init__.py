"""Neurons as arrays: reading SWC, checking, measuring and recognizing reconstructions."""

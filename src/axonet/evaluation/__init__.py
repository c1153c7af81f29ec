"""Evaluation of embeddings: retrieval, zero-shot, probes, baselines, maps and the report."""

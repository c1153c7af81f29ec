"""Speed, memory and agreement of the renderer; see ``python -m benchmarks.rendering --help``."""

"""Speed and memory of Stage 2; see ``__main__``."""

"""What Stage 2 learns from real neurons, and what each of its choices is worth; see ``__main__``."""

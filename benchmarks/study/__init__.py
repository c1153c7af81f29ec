"""What Stage 1 learns from real neurons: views, protocols, baselines, trainings and tables; see ``__main__``."""

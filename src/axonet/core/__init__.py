"""What every room stands on: settings, errors, files, random streams, progress and provenance."""

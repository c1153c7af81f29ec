"""NeuroMorpho.Org: which neurons it has, their files, metadata and morphometry, by its API and direct links only."""

"""Google Batch: one call of Snakemake, checked before anything is submitted; Snakemake does the rest."""

"""What the Snakefile imports: the root config, the names of files, digests, code epochs and flags."""

"""The Allen Institute: Cell Types Database and Patch-seq cells, their files and one kind of metadata for both."""

"""Where neurons come from, and the catalog that all sources end up in."""

"""Look at a trained embedding: export, exact search, the explorer's server and its page."""

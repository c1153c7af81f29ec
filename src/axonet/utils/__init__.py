"""Commands that prepare and describe data."""

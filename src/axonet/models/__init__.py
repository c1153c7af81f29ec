"""Networks and losses: tensors in, tensors out; they know no files but checkpoints, and no metadata."""

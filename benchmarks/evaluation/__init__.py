"""Speed and memory of evaluation, on made-up neurons and vectors."""

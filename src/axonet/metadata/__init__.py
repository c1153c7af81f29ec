"""What is known of a neuron besides its shape: records, the dialects they come from, and the captions they give."""

"""The one place where embeddings are made: input specification, encoding of views, pooling of poses, SWC and text."""

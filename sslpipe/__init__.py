"""Raw corpora in, self-supervised training batches out."""

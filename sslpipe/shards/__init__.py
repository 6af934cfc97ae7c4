"""The format on disk: tar, index, manifest, commits, ledger, storage."""

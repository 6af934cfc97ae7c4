"""Order, producers, collate: batches out of shards. Only here is torch imported."""

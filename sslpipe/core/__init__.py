"""The nouns that everything else speaks of: rows, names, hashes, draws, step shapes, errors."""

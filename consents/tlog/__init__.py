"""The transparency log: tree, checkpoints, tiles, proofs, witnesses and yearly shards."""

"""Other engines over the pool that ours is compared with."""

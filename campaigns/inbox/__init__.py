"""What providers and people tell us back: receipts, replies, opt-outs."""

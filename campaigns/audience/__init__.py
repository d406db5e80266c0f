"""Who a message is for: criteria without health, frozen into a snapshot."""

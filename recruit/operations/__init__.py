"""Job leases, installation state and the view log."""

"""What each role does in a browser, in small steps that journeys are put together from."""

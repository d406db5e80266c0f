"""From words that somebody types to the conditions and medicines that they may mean."""

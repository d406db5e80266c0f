"""A made-up year: six studies, eight sites and two thousand people who do not exist."""

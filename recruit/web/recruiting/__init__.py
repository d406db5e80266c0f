"""The recruiter's desk, a module for each page: queue, person, call, referral, visits, newcomers."""

"""Bad input on purpose: every form answers with a clear message, never with an error of ours."""

"""Law to schedule."""

"""What averages were expected to be worth, and what they are worth."""


def table() -> str:
    """Predictions beside measurements."""
    return ""

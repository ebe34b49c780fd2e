"""Second phases."""

from helpers.lab_samples import text  # noqa: F401

from helpers.lab_samples import text, tiny  # noqa: F401

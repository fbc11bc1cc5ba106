"""The one place where the version stands besides pyproject.toml."""

__version__ = "0.1.0"

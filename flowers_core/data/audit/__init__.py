"""What is in the data that a figure must be read with: copies, leaks, suspect labels, photos unlike the others."""

from flowers_core.data.audit.exact_duplicates import exact_duplicates, seen_elsewhere

__all__ = ["exact_duplicates", "seen_elsewhere"]

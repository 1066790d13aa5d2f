"""What the pages read, and the only caches of the app: models and records, the data on disk, a person's session.

Libraries that are slow to import are imported where they are first needed, so that the first answer does not wait for
the other pages.
"""

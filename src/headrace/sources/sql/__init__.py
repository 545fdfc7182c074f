"""Databases: what a query returns, read in streams by SQLAlchemy and the user's driver."""

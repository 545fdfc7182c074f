"""The components: real TFX components that can stand in for the stock ones.

Importing this package is light; each executor loads its heavy libraries when its node runs.
"""

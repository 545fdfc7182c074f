"""The user's code: found, loaded, and counted with all that it uses. Nothing here imports TFX."""

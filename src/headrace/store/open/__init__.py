"""A store as files: its database opened, moved, waited for, told from a stranger's."""

"""A server of workers that stays for the next run, so that libraries are loaded once for many runs."""

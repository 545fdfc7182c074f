"""Looking at data of which nothing is known: what it is, what each column holds, and what it can be used for."""

"""What is to run, and when: nodes laid flat, selected, conditional."""

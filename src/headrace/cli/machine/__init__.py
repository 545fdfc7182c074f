"""The machine under the commands: what `headrace doctor` looks at."""

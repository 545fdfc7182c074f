"""What an executor sees while it runs: its context, Beam, progress, partial results. Light but for `executor`."""

"""Run pipelines: plan, schedule on Beam, launch nodes, cache, recover."""

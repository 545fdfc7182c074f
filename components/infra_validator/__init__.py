"""InfraValidator: whether the exported model loads and answers in a fresh process, as a server would run it."""

from headrace.components.infra_validator.component import InfraValidator

__all__ = ["InfraValidator"]

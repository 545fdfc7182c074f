"""Where a node is executed. Who runs nodes knows `base` and `tasks`; `choice` alone knows which runners there are."""

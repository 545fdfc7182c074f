"""Pusher: puts a blessed model where a server finds it."""

from headrace.components.pusher.component import Pusher

__all__ = ["Pusher"]

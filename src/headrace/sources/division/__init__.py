"""Rows divided into splits otherwise than by TFX's hash: what is kept of each row at first, and how that decides.

A first pass over the input keeps a few bytes of each row (`keys`): its class or group as a number, its time, a hash of
its content. From these of all rows each row's split is decided at once (`division`), and a second pass writes.
"""

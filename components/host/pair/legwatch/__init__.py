"""What runs on a machine of a pair and judges its legs beyond their own link.

Pushed as it stands (`components.host.pair.watch`), and run there as `python3 -m legwatch`: nothing
but the standard library. `judge` decides, `wire` probes and talks.
"""

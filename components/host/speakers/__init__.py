"""The daemons that speak BGP, as every machine that speaks it runs them: process, checker, secrets.

What a daemon says is its layer's: a text made from the same `Peering` as the other end's.
"""

"""This program beside its peers, in one run on one machine: `python -m benchmark`.

Nothing else of ours imports it.
"""

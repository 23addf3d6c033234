"""What runs on the machine: the standard library, systemd, apt and util-linux, nothing else.

The package travels on standard input with every push (see `components.host.payload`) and is run
there as `python3 -m agent VERB`, as root, by `scripts/push.sh`.
"""

"""What runs on a machine that speaks BGP and tells how its sessions are.

Pushed as it stands (`components.host.speakers.figures`), and run there as `python3 -m bgpfigures`:
nothing but the standard library. `frr` and `bird` know what each daemon is asked and how it
answers, `session` what is told of it.
"""

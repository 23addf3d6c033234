"""Where the machines' own doors are."""

from __future__ import annotations

from lab.probes.result import promise
from lab.probes.world import World


def ssh_on_management_alone(world: World) -> str:
    """sshd listens on the management address and leg, on no other, and no neighbour on the LAN
    finds it."""
    elsewhere = {}
    for name, spec in world.machines.items():
        listed = world.text(name, ["ss", "-Hltnp"]).splitlines()
        found = [line.split()[3] for line in listed if '"sshd"' in line]
        if found != [f"{spec.management}%eth0:22"]:
            elsewhere[name] = found
    promise(not elsewhere, f"sshd listens elsewhere: {elsewhere}")
    asker = world.role("router")[0]
    others = [str(spec.lan) for name, spec in world.machines.items() if name != asker]
    question = {"addresses": others, "ports": [(22, 22)], "timeout": 1.0}
    reached = world.ask(asker, "scan", question)
    promise(not reached, f"{asker} reaches sshd on the LAN: {reached}")
    return f"{len(world.machines)} machines on their management leg alone"

"""Daemons that die or hang, on a machine that goes on."""

from __future__ import annotations

from collections.abc import Callable

from lab.probes.world import World


def signal(unit: str, name: str) -> Callable[[World, str], None]:
    """Every process of the unit gets a signal (`KILL`, `STOP`)."""

    def breaks(world: World, victim: str) -> None:
        world.text(victim, ["systemctl", "kill", "--kill-who=all", f"--signal=SIG{name}", unit])

    return breaks


def killed_for_good(unit: str) -> Callable[[World, str], None]:
    """Killed, and kept from coming back until `mended`."""

    def breaks(world: World, victim: str) -> None:
        # One session: the unit must not return between two of them.
        kill = f"systemctl mask --quiet --runtime {unit} && systemctl kill --kill-who=all "
        world.text(victim, ["sh", "-c", f"{kill} --signal=SIGKILL {unit}"])

    return breaks


def mended(unit: str) -> Callable[[World, str], None]:
    """The unit goes on, or is started anew when it has gone."""

    def mends(world: World, victim: str) -> None:
        world.run(victim, ["systemctl", "kill", "--kill-who=all", "--signal=SIGCONT", unit])
        world.run(victim, ["systemctl", "unmask", "--quiet", "--runtime", unit])
        world.text(victim, ["systemctl", "reset-failed", unit])
        world.text(victim, ["systemctl", "start", unit])

    return mends

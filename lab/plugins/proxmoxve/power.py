"""Power of a machine as the real provider uses it: start, stop, restart, and their waits."""

from __future__ import annotations

from lab.plugins.proxmoxve.api import Api, ApiError
from lab.plugins.server import Context, PluginError, Properties, TimedOut

TIMEOUTS = {"create": 1800, "start": 1800, "shutdown": 1800, "stop": 300, "reboot": 1800}
"""Seconds; the provider's defaults for timeoutCreate, timeoutStartVm and so on."""
AGENT_SECONDS = 900
POLL_SECONDS = 0.2


class Power:
    """The buttons of the machines on one cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def running(self, node: str, vmid: int) -> bool:
        """Whether it runs."""
        status = self._api.get(f"/nodes/{node}/qemu/{vmid}/status/current")
        return bool(status["status"] == "running")

    def _wait_status(self, ctx: Context, node: str, vmid: int, wanted: bool, within: float) -> None:
        ctx.poll(
            lambda: True if self.running(node, vmid) == wanted else None,
            what=f"VM {vmid} {'running' if wanted else 'stopped'}",
            every=POLL_SECONDS,
            within=within,
        )

    def start(self, ctx: Context, node: str, vmid: int, inputs: Properties) -> None:
        """Start it and wait until it runs."""
        within = seconds(inputs, "timeoutStartVm", "start")
        path = f"/nodes/{node}/qemu/{vmid}/status/start"
        ctx.status(f"starting VM {vmid}")
        self._api.run(ctx, "POST", path, "VM start", within)
        self._wait_status(ctx, node, vmid, True, within)

    def stop(self, ctx: Context, node: str, vmid: int, inputs: Properties) -> None:
        """Pull the plug and wait until it is off."""
        within = seconds(inputs, "timeoutStopVm", "stop")
        path = f"/nodes/{node}/qemu/{vmid}/status/stop"
        self._api.run(ctx, "POST", path, "VM stop", within)
        self._wait_status(ctx, node, vmid, False, within)

    def switch_off(self, ctx: Context, node: str, vmid: int, inputs: Properties) -> None:
        """As the provider does: gracefully where a guest agent listens, else at once."""
        if not (inputs.get("agent") or {}).get("enabled"):
            self.stop(ctx, node, vmid, inputs)
            return
        within = seconds(inputs, "timeoutShutdownVm", "shutdown")
        path = f"/nodes/{node}/qemu/{vmid}/status/shutdown"
        form = {"forceStop": "1", "timeout": str(int(within))}
        self._api.run(ctx, "POST", path, "VM shutdown", within, **form)
        self._wait_status(ctx, node, vmid, False, within)

    def reboot(self, ctx: Context, node: str, vmid: int, inputs: Properties) -> None:
        """Restart it through the host and wait until it runs."""
        within = seconds(inputs, "timeoutReboot", "reboot")
        path = f"/nodes/{node}/qemu/{vmid}/status/reboot"
        form = {"timeout": str(int(within))}
        self._api.run(ctx, "POST", path, "VM reboot", within, **form)
        self._wait_status(ctx, node, vmid, True, within)

    def wait_for_agent(self, ctx: Context, node: str, vmid: int, inputs: Properties) -> None:
        """Wait for the guest agent when the inputs enable it; a silent one is a warning."""
        block = inputs.get("agent") or {}
        if not block.get("enabled"):
            return
        within = duration(str(block.get("timeout") or f"{AGENT_SECONDS}s"))
        path = f"/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces"

        def answered() -> bool | None:
            try:
                self._api.get(path)
            except ApiError:
                return None
            return True

        try:
            ctx.poll(answered, what=f"guest agent of VM {vmid}", every=1.0, within=within)
        except TimedOut as error:
            ctx.log(f"timeout while waiting for the QEMU agent on VM {vmid}: {error}", "warning")


def seconds(inputs: Properties, name: str, kind: str) -> float:
    """A `timeout…` input in seconds, or the provider's default."""
    return float(inputs.get(name) or TIMEOUTS[kind])


def duration(text: str) -> float:
    """Seconds of a Go duration made of one number and unit (`15m`)."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    try:
        return float(text[:-1]) * units[text[-1]]
    except (ValueError, KeyError, IndexError) as error:
        raise PluginError(f"agent.timeout: '{text}' is no duration; write it like 15m") from error

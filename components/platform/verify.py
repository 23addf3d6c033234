"""What of the platform only the running layers know: settings are judged before."""

from __future__ import annotations

from components.platform.addon import Site


def verify(site: Site) -> list[str]:
    """Every problem, as one sentence each; empty when the platform makes sense."""
    problems: list[str] = []
    if not site.trusted:
        problems.append("the platform knows no balancer: nobody's PROXY header would be believed")
    if not site.lan_interface:
        problems.append("the control plane has no LAN leg: services would be served nowhere")
    return problems

"""What a change of a key does to a stack that runs, by longest prefix of the key.

An entry is of a key and of all below it that have none of their own. No section has one as a whole,
so that a new key must be answered for. Where it is told at length: docs/machines.md, cluster.md,
routers.md, loadbalancers.md, platform.md, cdn.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settings.effects.inside import INSIDE
from settings.effects.words import (
    ALIKE,
    BGP,
    FIREWALL,
    FOUNDING,
    HAPROXY,
    IMAGE_FILE,
    LEGS,
    MAINTENANCE,
    MIGRATES,
    MOVES,
    NOTHING,
    OWN,
    PUSHED,
    REPLACES_ALL,
    SOURCES,
    TOLD_ONCE_ALL,
    ZONE,
    image,
    machine,
    segment,
    vrrp,
)

EFFECTS: Final[Mapping[str, str]] = {
    "environment": f"{REPLACES_ALL} (the user-data has another id)",
    "topology": "what it decides is changed, as if `platform.ingress.kind` were",
    # The networks.
    **segment("networks.management"),
    **segment("networks.lan"),
    **segment("networks.wan"),
    **segment("networks.sync"),
    "networks.sync": f"a leg more or less of each router: {TOLD_ONCE_ALL}",
    "networks.wan.public": TOLD_ONCE_ALL,
    "networks.wan.gateway": TOLD_ONCE_ALL,
    "networks.wan.gateway6": TOLD_ONCE_ALL,
    "networks.pods": FOUNDING,
    "networks.services": FOUNDING,
    "networks.resolvers": PUSHED,
    "networks.ntp": PUSHED,
    "networks.domain": f"{PUSHED}. cloud-init's file is made anew, and read once more at each "
    "machine's next start",
    # The hypervisors.
    "proxmox.endpoint": NOTHING,
    "proxmox.insecure": NOTHING,
    "proxmox.ssh_user": NOTHING,
    "proxmox.hosts": "a host more is looked at by the preflight and downloads the image; machines "
    "stay where they are",
    "proxmox.hosts[].name": MIGRATES,
    "proxmox.hosts[].ssh_address": NOTHING,
    "proxmox.hosts[].ssh_port": NOTHING,
    "proxmox.datastores.images": IMAGE_FILE,
    "proxmox.datastores.snippets": f"{REPLACES_ALL} (the user-data has another id)",
    "proxmox.datastores.disks": "refused by the provider while the machine runs. One that is shut "
    "down in Proxmox first is moved and started by `pulumi up --target URN-of-the-VM`, one of a "
    "pair at a time",
    **image("proxmox.image"),
    "proxmox.protect": NOTHING,
    "proxmox.replaceable": NOTHING,
    "proxmox.tags": "in place: the tags of every VM are changed",
    # Logins and upkeep.
    "access.authorized_keys": PUSHED,
    "access.baseline_packages": f"{PUSHED}. What lacks is installed; nothing is removed",
    "access.unattended_upgrades": PUSHED,
    "access.journald_max_mebibytes": f"{PUSHED}; journald is restarted",
    "access.node_exporter": f"{PUSHED}; the exporter is installed, or stopped",
    "access.epoch": "every machine's configuration is pushed again: what a machine carries already "
    "is left untouched, what was changed there by hand is put back",
    # Packages.
    "software.repositories": f"{PUSHED}. Packages that are installed stay",
    "software.kubernetes_repository": "in place: pushed to every node; packages that are installed "
    "stay",
    "software.containerd_repository": "in place: pushed to every node; packages that are installed "
    "stay",
    # The routers.
    "routers.kind": "other routers: those of the old kind are let go, virtual ones are destroyed, "
    "and the ones listed for the new kind are configured; traffic is interrupted",
    **image("routers.image"),
    "routers.host_keys": "nothing on the routers: the program expects another key of them",
    **machine(
        "routers.machines",
        "from one to two and back the VIPs are away for about a second; one taken out is destroyed",
        "; of a pair, the other router serves meanwhile",
    ),
    "routers.physical": "in place: a router that is added is configured; one taken out keeps what "
    "it has",
    "routers.vips": "in place: keepalived is reloaded and the firewall swapped; a group taken out "
    "gives up its addresses",
    "routers.vips[].name": "in place: keepalived is reloaded with a group of another name, whose "
    "addresses may be away for a moment",
    "routers.vips[].owner": MOVES,
    "routers.vips[].routed": FIREWALL,
    "routers.vips[].wan": "in place: keepalived is reloaded, the firewall swapped, and the records "
    "at the CDN changed; the address that was taken out answers no more",
    "routers.vips[].wan_vrid": ALIKE,
    "routers.vips[].lan": "the first group's first is the gateway of all machines but the routers: "
    f"{TOLD_ONCE_ALL}. Others: keepalived is reloaded",
    "routers.vips[].lan_vrid": ALIKE,
    "routers.vips[].wan6": "in place: keepalived is reloaded, the firewall swapped, and the "
    "records at the CDN changed",
    "routers.vips[].lan6": f"the first is the balancers' way back: {TOLD_ONCE_ALL}. Others: "
    "keepalived is reloaded",
    **vrrp("routers.vrrp"),
    "routers.neighbours": LEGS,
    "routers.limits": "in place, without interruption: the kernel's limits of connection tracking "
    "are set at once",
    "routers.public_ports": FIREWALL,
    "routers.management_sources": FIREWALL,
    "routers.deny": FIREWALL,
    "routers.log_drops_per_minute": FIREWALL,
    "routers.forwards": FIREWALL,
    "routers.outbound": FIREWALL,
    "routers.snippets": FIREWALL,
    "routers.bgp": BGP,
    "routers.bgp.daemon": "in place, with an interruption of BGP: the other daemon is installed, "
    "and the sessions and routes of the old one end",
    # The balancers.
    **image("balancers.image"),
    **machine(
        "balancers.machines",
        "in place: a balancer more joins the others; one taken out is destroyed. From one to two "
        "and back keepalived changes between multicast and unicast",
        "; of a pair, the other balancer serves meanwhile",
    ),
    "balancers.vips": f"the first group's first addresses, where the API is: {FOUNDING}. Further "
    "groups and addresses are taken in place, by a reload of keepalived",
    "balancers.vips[].name": "in place: keepalived is reloaded with a group of another name, whose "
    "addresses may be away for a moment",
    "balancers.vips[].owner": MOVES,
    "balancers.vips[].vrid": ALIKE,
    "balancers.vips[].lan6": "in place: keepalived is reloaded, and the routers forward visitors "
    "by IPv6 there",
    "balancers.reach.kind": "in place: routers and balancers learn to announce, or forget it; the "
    "service is at its other addresses from then on, and connections that are open are cut",
    "balancers.reach.vips": "in place: the balancers announce them and the routers forward there; "
    "connections to an address that was taken out are cut",
    **vrrp("balancers.vrrp"),
    "balancers.neighbours": LEGS,
    "balancers.certificate": "a certificate that the stack makes is made anew and shown, before "
    "the old one is taken back; HAProxy is reloaded and cuts no connection",
    "balancers.certificate.acme": "in place: with other names, or another directory, each balancer "
    "orders its certificate anew, and shows the one it has until then; HAProxy is reloaded",
    "balancers.timeouts": HAPROXY,
    "balancers.sizes": HAPROXY,
    "balancers.max_connections": HAPROXY,
    "balancers.max_connections_per_client": HAPROXY,
    "balancers.target": HAPROXY,
    "balancers.ingress": HAPROXY,
    "balancers.routes": OWN,
    "balancers.tcp_routes": OWN,
    "balancers.rate_per_client": HAPROXY,
    "balancers.sources": HAPROXY,
    "balancers.filter": HAPROXY,
    "balancers.answers": HAPROXY,
    "balancers.maintenance_page": HAPROXY,
    "balancers.snippets": HAPROXY,
    "balancers.answers.hsts": f"{HAPROXY}. Browsers remember what they were told until it ends",
    "balancers.logging": f"{HAPROXY}; rsyslog is restarted, and lines of that moment are lost",
    "balancers.api_port": FOUNDING,
    "balancers.stats_port": HAPROXY,
    "balancers.redirect_to_https": HAPROXY,
    **INSIDE,
    # The CDN.
    "cdn.kind": "the routers let other sources in and the balancers believe them, in place; "
    "records that the old kind managed are deleted at the CDN, those of the new one made",
    "cdn.range_list": SOURCES,
    "cdn.limits": "nothing by itself: the other timeouts and sizes are judged by it",
    "cdn.client_ip_header": HAPROXY,
    "cdn.origin_pulls": f"{HAPROXY}. Write a new authority beside the old one first, or the "
    "balancers refuse the CDN until it shows the new one's",
    "cdn.origin_pulls.validity_hours": "what the CDN shows is signed anew; the balancers accept "
    "both meanwhile",
    "cdn.zone": "at the CDN: the records are deleted in the old zone and made in the new one",
    "cdn.zone_id": "at the CDN: the records are deleted in the old zone and made in the new one",
    "cdn.api_url": NOTHING,
    "cdn.records": "at the CDN: a record for every public VIP is made for a new name, and those of "
    "one taken out are deleted; no machine is touched",
    "cdn.unproxied": "at the CDN: the records are made, changed or deleted; resolvers keep an old "
    "one for its `ttl`, or 300 s",
    "cdn.owns_zone": "at the CDN: with `true` the zone's settings are set; with `false` they are "
    "forgotten, and stay as they were last",
    "cdn.ssl": ZONE,
    "cdn.min_tls_version": ZONE,
    "cdn.always_use_https": ZONE,
    "cdn.hsts": f"{ZONE}. Browsers remember what they were told until it ends",
    "cdn.rules": "at the CDN: the phase's rules are written as a whole; no machine is touched",
    "cdn.rules.plan": "nothing by itself: the rules are judged by it",
    # Maintenance.
    "maintenance.machines": MAINTENANCE,
    # Secrets.
    "proxmoxApiToken": "nothing on a machine: the next update logs in to Proxmox with it",
    "proxmoxSshKey": "nothing on a machine: the next update uploads snippets with it",
    "deployKey": "the machines stay and let another key in, if `deployKeyBefore` has the old one "
    "for that update; refused in its first second without it",
    "deployKeyBefore": "for one update: it logs in with this key, and lets the new one in",
    "cloudflareApiToken": "nothing on a machine: the next update asks the CDN with it",
    "tlsCertificate": HAPROXY,
    "tlsKey": HAPROXY,
    "tlsFurther": HAPROXY,
    "acmeDnsToken": "in place: the balancers get it, and use it for the next order",
    "backupKey": "nothing by itself: the first control plane is told it while it restores",
    "backupSshKey": "in place: pushed to every control plane; let the new one in at the store "
    "first",
    "bgpPasswords": BGP,
    "platformSecrets": "in place: the Secrets in the cluster have the new values; whether pods "
    "read them again is the chart's business",
}
"""Key (with `[]` for the items of a list) or secret to what its change does."""


def effect_of(key: str) -> str | None:
    """What the entry of a key written with `[]` says, or of what it stands in; None where neither
    has one, as whole sections."""
    here = key
    while here and here not in EFFECTS:
        here = here.removesuffix("[]") if here.endswith("[]") else here.rpartition(".")[0]
    return EFFECTS.get(here)

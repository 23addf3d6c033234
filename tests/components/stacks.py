"""The stacks that the layers' golden files are rendered for, as settings and plain machines."""

from __future__ import annotations

import copy
from functools import cache
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path
from typing import Any

import yaml

from components.host import Connection, Machine
from settings.models import (
    DEFAULT_DISTRIBUTION,
    DISTRIBUTIONS,
    DistributionName,
    MachineSpec,
    PhysicalSpec,
    Stack,
)
from tests.components import distribution
from tests.issued import made

PREFIX = "layered-cloud:"
ROOT = Path(__file__).parents[2]
INTERFACES = {"management": "eth0", "lan": "eth1", "wan": "eth2", "sync": "eth3"}


def lab_config() -> dict[str, Any]:
    """The sections of Pulumi.lab.yaml, fresh."""
    config = copy.deepcopy(_lab_file())
    config["proxmox"]["image"]["distribution"] = distribution.NAME
    return config


@cache
def _lab_file() -> dict[str, Any]:
    """Nearly every test of a layer begins with it, some with several."""
    document = yaml.safe_load((ROOT / "Pulumi.lab.yaml").read_text(encoding="utf-8"))
    return {
        key.removeprefix(PREFIX): value
        for key, value in document["config"].items()
        if key.removeprefix(PREFIX) in Stack.model_fields
    }


def lab() -> Stack:
    """The lab: pairs of everything."""
    return Stack.model_validate(lab_config())


def single() -> Stack:
    """One router and one balancer, no sync segment: what a small development stack has."""
    config = lab_config()
    config["environment"] = "dev"
    config["networks"].pop("sync")
    config["routers"]["machines"] = config["routers"]["machines"][:1]
    config["routers"]["machines"][0].pop("sync")
    config["balancers"]["machines"] = config["balancers"]["machines"][:1]
    return Stack.model_validate(config)


def three() -> Stack:
    """Three control planes."""
    config = lab_config()
    (first,) = config["cluster"]["control_planes"]
    config["cluster"]["control_planes"] += [
        {
            **first,
            **{"name": f"cp-{number}", "host": f"pve{2 - number % 2}", "vm_id": 120 + number},
            "management": f"198.18.0.3{number}",
            "lan": f"198.18.10.2{number}",
        }
        for number in (2, 3)
    ]
    return Stack.model_validate(config)


def maintained() -> Stack:
    """A router, a balancer and a worker in maintenance, and a host that is closed."""
    config = lab_config()
    config["maintenance"] = {"machines": ["router-a", "lb-a", "worker-1"]}
    config["balancers"]["tcp_routes"] = [
        {
            "name": "mail",
            "port": 25,
            "node_port": 30025,
            "proxy_protocol": True,
            "max_connections": 50,
        },
        {
            **{"name": "database", "port": 15432, "node_port": 30432},
            **{
                "sources": ["192.0.2.0/24", "198.51.100.7/32"],
                "idle_timeout": 600,
                "max_connections": 200,
            },
        },
    ]
    config["balancers"]["maintenance_page"] = {
        "html": "<!doctype html><title>Bald zurück</title>\n",
        "hosts": ["echo.lab.test"],
    }
    return Stack.model_validate(config)


def two_groups() -> Stack:
    """Both routers at work, each the owner of one group; two VIPs on each balancer likewise."""
    config = lab_config()
    config["routers"]["vips"].append(
        {
            **{"name": "second", "owner": "router-b"},
            **{"wan": ["203.0.113.11"], "wan_vrid": 63},
            **{"lan": ["198.18.10.4"], "lan_vrid": 64},
        }
    )
    config["balancers"]["vips"].append(
        {
            **{"name": "side", "owner": "lb-b", "vrid": 72},
            **{"lan": ["198.18.10.13"], "management": ["198.18.0.13"]},
        }
    )
    return Stack.model_validate(config)


def both_families() -> Stack:
    """Visitors come by IPv6 too."""
    config = lab_config()
    config["networks"]["wan"] |= {"cidr6": "2001:db8:0:1::/64", "gateway6": "2001:db8:0:1::1"}
    config["networks"]["lan"] |= {"cidr6": "fd00:10::/64"}
    for last, router in enumerate(config["routers"]["machines"], start=2):
        router |= {"wan6": f"2001:db8:0:1::{last}", "lan6": f"fd00:10::{last}"}
    config["routers"]["vips"][0] |= {"wan6": ["2001:db8:0:1::10"], "lan6": ["fd00:10::1"]}
    for last, balancer in enumerate(config["balancers"]["machines"], start=11):
        balancer["lan6"] = f"fd00:10::{last}"
    config["balancers"]["vips"][0]["lan6"] = ["fd00:10::10"]
    config["routers"]["deny"] = ["2001:db8:c:bad::/64"]
    return Stack.model_validate(config)


def announced(daemon: str = "frr") -> Stack:
    """Three balancers, all of which announce the service to the routers and tell of it."""
    config = lab_config()
    first, *_ = config["balancers"]["machines"]
    config["balancers"]["machines"].append(
        {
            **first,
            **{"name": "lb-c", "vm_id": 113, "management": "198.18.0.23", "lan": "198.18.10.13"},
        }
    )
    config["balancers"]["reach"] = {"kind": "bgp", "vips": ["198.18.30.1"]}
    config["balancers"]["ingress"] = {"sticky": "source"}
    config["access"]["node_exporter"] = True
    config["routers"]["bgp"] = {
        **{"daemon": daemon, "asn": 64512},
        "balancers": {"asn": 64514, "password": True},
    }
    return Stack.model_validate(config)


def announced_by_bird() -> Stack:
    """The same by BIRD."""
    return announced("bird")


def one_address() -> Stack:
    """The provider's subnet has one address for us: the routers' own on the WAN are private."""
    config = lab_config()
    config["networks"]["wan"] |= {
        **{"cidr": "100.64.0.0/29", "public": "203.0.113.8/30", "gateway": "203.0.113.9"},
    }
    for last, router in enumerate(config["routers"]["machines"], start=2):
        router["wan"] = f"100.64.0.{last}"
    return Stack.model_validate(config)


def address_of_its_own() -> Stack:
    """Requests go to the ingress' LoadBalancer address, and plain HTTP is sent to HTTPS."""
    config = lab_config()
    config["balancers"] |= {"target": "load-balancer-ip", "redirect_to_https": True}
    return Stack.model_validate(config)


def straight() -> Stack:
    """No CDN: visitors come straight from the internet."""
    config = lab_config()
    config["cdn"] = {"kind": "none"}
    return Stack.model_validate(config)


def ordered(names: tuple[str, ...] = ("www.lab.test", "lab.test"), **acme: Any) -> Stack:
    """Each balancer orders its certificate, proven by answers unless `acme` says otherwise."""
    config = lab_config()
    told = {"challenge": "http-01", "email": "ops@lab.test", "terms_agreed": True, **acme}
    config["cdn"] = {"kind": "none"}
    config["balancers"]["certificate"] = {"source": "acme", "names": list(names), "acme": told}
    config["balancers"]["redirect_to_https"] = True
    return Stack.model_validate(config)


def ordered_by_records() -> Stack:
    """The same by records at Cloudflare, of an authority of one's own; for a wildcard, too."""
    return ordered(
        ("lab.test", "*.lab.test"),
        challenge="dns-01",
        zones=["lab.test"],
        directory="https://acme.lab.test:14000/dir",
        authorities=made("acme", authority=True).pem,
    )


def proven(*, required: bool = True) -> Stack:
    """A CDN by its list that shows a certificate when it calls."""
    config = lab_config()
    config["cdn"] = {
        **{"kind": "listed", "range_list": ["198.51.100.0/24"]},
        **{"client_ip_header": "CF-Connecting-IP"},
        "origin_pulls": {"required": required, "client_ca": made("ca", authority=True).pem},
    }
    config["balancers"]["redirect_to_https"] = required
    return Stack.model_validate(config)


def asking() -> Stack:
    """The same, asked for it while it may still show none."""
    return proven(required=False)


def with_routes() -> Stack:
    """Routes of every kind beside the ingress, and clients that stay where they were."""
    config = lab_config()
    further = {"name": "shops", "names": ["*.shop.lab.test"]}
    config["balancers"]["certificate"] |= {"names": ["*.lab.test"], "further": [further]}
    config["balancers"] |= {
        "ingress": {"balance": "leastconn", "sticky": "cookie"},
        "routes": [
            {
                **{"name": "shop", "hosts": ["shop.lab.test", "*.shop.lab.test"]},
                **{"paths": ["/cart"], "prefixes": ["/api", "/v(2)/x"], "methods": ["GET", "POST"]},
                **{"headers": {"X-Tier": "gold or $HOME"}, "sticky": "source", "sticky_for": 600},
            },
            {"name": "pictures", "prefixes": ["/pictures"], "balance": "uri", "http2": True},
            {
                **{"name": "calls", "prefixes": ["/calls"]},
                **{"node_port": 30310, "http2": True, "health_path": "/"},
            },
            {
                **{"name": "grid", "hosts": ["grid.lab.test"], "balance": "source"},
                **{"node_port": 30300, "tls": True, "health_path": "/healthz"},
            },
        ],
    }
    return Stack.model_validate(config)


def bgp(daemon: str = "frr") -> Stack:
    """The routers speak BGP with a provider and with the nodes, which announce a pool beyond every
    segment, and tell of their sessions."""
    config = lab_config()
    config["platform"]["metallb"]["mode"] = "bgp"
    config["platform"]["metallb"]["pool"] = [{"first": "198.18.60.0", "last": "198.18.60.127"}]
    config["platform"]["ingress"]["load_balancer_ip"] = "198.18.60.1"
    config["access"]["node_exporter"] = True
    config["routers"]["bgp"] = {
        "daemon": daemon,
        "asn": 64512,
        "upstream": [
            {
                **{"name": "provider", "address": "203.0.113.1", "asn": 64500},
                **{"password": True, "bfd": True, "accept": ["0.0.0.0/0"]},
            }
        ],
        "announce": ["198.18.64.0/24"],
        "inside": {"asn": 64513, "password": True},
    }
    return Stack.model_validate(config)


def bird() -> Stack:
    """The same by BIRD."""
    return bgp("bird")


def guarded() -> Stack:
    """What is let through, from whom and how often, and what is added to answers."""
    config = lab_config()
    config["balancers"] |= {
        "rate_per_client": {"requests": 100, "seconds": 10},
        "sources": {"allow": ["192.0.2.0/24", "203.0.113.0/24"], "deny": ["192.0.2.66/32"]},
        "filter": {
            **{"methods": ["GET", "HEAD", "POST"], "denied_paths": ["/.git", "/admin"]},
            **{"denied_agents": ["BadBot/", "scan (x)"], "max_body": 10_240},
        },
        "answers": {
            "hsts": {"subdomains": True, "preload": True},
            "set": {"Content-Security-Policy": "default-src 'self'; $x 100%"},
            "remove": ["Server"],
        },
        "ingress": {"max_connections_per_node": 200},
    }
    return Stack.model_validate(config)


FORWARDS: list[dict[str, Any]] = [
    {
        **{"name": "mail", "port": 25, "to": "198.18.10.31", "per_source": 5},
        "sources": ["192.0.2.0/26", "192.0.2.64/26"],
    },
    {"name": "calls", "protocol": "udp", "port": 5000, "last": 5010, "to": "198.18.10.32"},
    {"name": "shell", "port": 2222, "to": "198.18.10.31", "to_port": 22},
]


def forwarding() -> Stack:
    """Ports of the public VIPs lead past the balancers."""
    config = lab_config()
    config["routers"]["forwards"] = FORWARDS
    return Stack.model_validate(config)


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"


def mikrotik() -> Stack:
    """A pair of physical MikroTik routers in place of the lab's."""
    return Stack.model_validate(_on_mikrotik(lab_config()))


def mikrotik_alone() -> Stack:
    """One of them, without a sync segment."""
    config = _on_mikrotik(lab_config())
    config["networks"].pop("sync")
    config["routers"]["physical"] = config["routers"]["physical"][:1]
    config["routers"]["physical"][0].pop("sync")
    config["routers"]["physical"][0]["interfaces"].pop("sync")
    return Stack.model_validate(config)


def mikrotik_busy() -> Stack:
    """Both at work, each the owner of a group, with everything that their firewall can be told."""
    config = _on_mikrotik(two_groups().model_dump(mode="json"))
    config["routers"] |= {
        "deny": ["192.0.2.128/25"],
        "log_drops_per_minute": 60,
        "public_ports": [443],
        "management_sources": ["198.18.0.0/28", "198.18.0.99/32"],
        "vrrp": {"advert_interval": 1, "preempt": False},
        "forwards": FORWARDS,
    }
    for index, spec in enumerate(config["routers"]["physical"]):
        spec |= {"ssh_port": 2200 + index}
        spec["interfaces"] |= {"wan": "sfp-sfpplus1", "lan": "bond-lan.10"}
    return Stack.model_validate(config)


VYOS_IMAGE = {
    **{"url": "https://images.lab.test/vyos-1.4.0.qcow2", "file_name": "vyos-1.4.0.qcow2"},
    "sha256": "7" * 63 + "b",
}


def vyos() -> Stack:
    """A pair of VyOS routers, as virtual machines in place of the lab's."""
    config = lab_config()
    config["routers"] |= {"kind": "vyos", "image": VYOS_IMAGE}
    config["networks"]["ntp"] = ["198.51.100.123", "clock.example.org"]
    return Stack.model_validate(config)


def vyos_alone() -> Stack:
    """One of them, physical, without a sync segment; what it may let out is named."""
    config = mikrotik_alone().model_dump(mode="json")
    config["routers"] |= {
        "kind": "vyos",
        "outbound": letting_out().model_dump(mode="json")["routers"]["outbound"],
        "log_drops_per_minute": 30,
    }
    (router,) = config["routers"]["physical"]
    router["interfaces"] |= {"management": "eth0", "lan": "br0", "wan": "eth1.10"}
    return Stack.model_validate(config)


def vyos_busy() -> Stack:
    """A physical pair, both at work, each the owner of a group, with everything that their firewall
    can be told."""
    config = mikrotik_busy().model_dump(mode="json")
    config["routers"] |= {
        "kind": "vyos",
        "vrrp": {"advert_interval": 2, "preempt": False, "garp_master_refresh": 0},
        "limits": {"conntrack_max": 500_000, "established_timeout": 7200},
    }
    for spec in config["routers"]["physical"]:
        legs = ("management", "lan", "wan", "sync")
        spec["interfaces"] |= {leg: f"eth{index}" for index, leg in enumerate(legs)}
        spec["interfaces"]["lan"] = "bond0.10"
    return Stack.model_validate(config)


def vyos_bgp() -> Stack:
    """VyOS routers that speak BGP with a provider and with the nodes, one of them about to stop."""
    config = vyos().model_dump(mode="json")
    speaking = bgp().model_dump(mode="json")
    config["platform"] = speaking["platform"]
    config["routers"]["bgp"] = speaking["routers"]["bgp"] | {"drained": ["router-b"]}
    for end in (config["routers"]["bgp"]["inside"], *config["routers"]["bgp"]["upstream"]):
        end["password"] = False
    return Stack.model_validate(config)


def _on_mikrotik(config: dict[str, Any]) -> dict[str, Any]:
    """A stack's configuration with its routers' addresses on physical ones."""
    legs = ("name", "management", "lan", "wan", "sync")
    machines = config["routers"].pop("machines")
    config["routers"] |= {
        "kind": "mikrotik",
        "host_keys": {each["name"]: HOST_KEY for each in machines},
        "physical": [
            {
                **{leg: each[leg] for leg in legs},
                "interfaces": {
                    leg: f"ether{index}" for index, leg in enumerate(legs) if leg != "name"
                },
            }
            for each in machines
        ],
    }
    return config


def logged() -> Stack:
    """The access log goes to two servers, to one of them over TLS, with what is asked for."""
    config = lab_config()
    fixture = ROOT / "tests/fixtures/accept/access-log-to-servers.yaml"
    patch = yaml.safe_load(fixture.read_text(encoding="utf-8"))
    config["balancers"]["logging"] = patch["set"]["/balancers/logging"]
    return Stack.model_validate(config)


def letting_out() -> Stack:
    """The LAN reaches what is named and nothing else; what is refused is logged."""
    config = lab_config()
    config["routers"] |= {
        "log_drops_per_minute": 30,
        "outbound": [
            {"name": "dns", "protocol": "udp", "ports": [53]},
            {"name": "dns-tcp", "ports": [53]},
            {"name": "web", "ports": [80, 443]},
            {"name": "office", "ports": [5000], "last": 5009, "to": ["192.0.2.0/25"]},
            {"name": "ping", "protocol": "icmp"},
            {"name": "tunnels", "protocol": "any", "to": ["192.0.2.200/32", "198.51.100.64/26"]},
            {"name": "streams", "protocol": "udp", "to": ["198.51.100.0/26"]},
        ],
    }
    return Stack.model_validate(config)


def with_services() -> Stack:
    """Public services of every sort: pods of ours, others', two at one name, another ingress'."""
    config = lab_config()
    config["balancers"]["certificate"]["names"] = ["*.lab.test"]
    config["balancers"]["ingress"] = {"sticky": "source", "http2": True}
    config["services"] = [
        {
            **{"name": "shop", "hosts": ["shop.lab.test", "store.lab.test"]},
            **{"image": "registry.lab.test/shop:1", "port": 3000, "replicas": 3},
            **{"env": {"MODE": "live", "POD_IP": "none"}, "secrets": ["PASSWORD"], "user": 1000},
            **{"memory_limit": 256, "health_path": "/ready", "alive_path": "/alive"},
            **{"writable": ["/tmp", "/var/cache"], "alert": {"availability": 99.9}},
        },
        {
            **{"name": "cart", "hosts": ["shop.lab.test"], "path": "/cart"},
            **{"image": "registry.lab.test/cart:2", "annotations": {"example.org/a": "b"}},
        },
        {"name": "again", "hosts": ["again.lab.test"], "service": "shop/shop:http"},
        {
            **{"name": "figures", "hosts": ["figures.lab.test"]},
            **{"service": "elsewhere/web:8080", "ingress_class": "other", "node_port": 30999},
        },
    ]
    return Stack.model_validate(config)


NAMED = {
    "lab": lab,
    "single": single,
    "three": three,
    "maintained": maintained,
    "two-groups": two_groups,
    "load-balancer-ip": address_of_its_own,
    "straight": straight,
    "ordered": ordered,
    "ordered-by-records": ordered_by_records,
    "one-address": one_address,
    "both-families": both_families,
    "proven": proven,
    "asking": asking,
    "routes": with_routes,
    "bgp": bgp,
    "bird": bird,
    "announced": announced,
    "announced-by-bird": announced_by_bird,
    "guarded": guarded,
    "outbound": letting_out,
    "forwards": forwarding,
    "services": with_services,
    "mikrotik": mikrotik,
    "mikrotik-alone": mikrotik_alone,
    "mikrotik-busy": mikrotik_busy,
    "vyos": vyos,
    "vyos-alone": vyos_alone,
    "vyos-busy": vyos_busy,
    "vyos-bgp": vyos_bgp,
    "logged": logged,
}
"""By the name of their folder of golden files."""


def of(name: DistributionName, stack: Stack) -> Stack:
    """The same stack, its machines all of one distribution."""
    image = stack.proxmox.image.model_copy(update={"distribution": name})
    proxmox = stack.proxmox.model_copy(update={"image": image})
    return stack.model_copy(update={"proxmox": proxmox})


def machine(stack: Stack, role: str, spec: MachineSpec | PhysicalSpec) -> Machine:
    """The machine a spec becomes, without a VM."""
    physical = isinstance(spec, PhysicalSpec)
    addresses: dict[str, IPv4Interface] = {}
    addresses6: dict[str, IPv6Interface] = {}
    for network in INTERFACES:
        address = getattr(spec, network)
        segment = getattr(stack.networks, network)
        if address is not None and segment is not None:
            addresses[network] = IPv4Interface(f"{address}/{segment.cidr.prefixlen}")
            address6 = getattr(spec, f"{network}6", None)
            if address6 is not None:
                addresses6[network] = IPv6Interface(f"{address6}/{segment.cidr6.prefixlen}")
    return Machine(
        name=spec.name,
        role=role,
        addresses=addresses,
        addresses6=addresses6,
        interfaces={
            network: getattr(spec.interfaces, network) if physical else INTERFACES[network]
            for network in addresses
        },
        connection=Connection(
            host=str(spec.management),
            port=spec.ssh_port if physical else 22,
            private_key="private",
            host_key="ssh-ed25519 AAAA",
        ),
        vm=None,
        host=None if physical else spec.host,
        distribution=DISTRIBUTIONS[DEFAULT_DISTRIBUTION]
        if physical
        else stack.distribution(role, spec),
    )


def machines(stack: Stack, role: str) -> list[Machine]:
    """All machines of a role."""
    specs = [*stack.machines(), *stack.physical()]
    return [machine(stack, kind, spec) for kind, spec in specs if kind == role]

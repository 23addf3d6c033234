"""What MikroTik's manual lets a script say: menus, their verbs, arguments and values.

No RouterOS is at hand, so that the rendered scripts are judged by this table, written from the
pages named here and from nothing else. A page is `https://manual.mikrotik.com/docs/` and its name;
what stands below `cli-reference` there lists a menu's arguments with their types. Only what our
scripts use is here: a further argument is looked up first, and then added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

YES_NO = "yes|no"
TEXT = r".+"
NUMBER = r"\d+"
TIME = r"(\d+(ms|s|m|h|d|w))+"
ADDRESS = r"\d+(\.\d+){3}"
NETWORK = rf"{ADDRESS}(/\d+)?"
PORTS = r"\d+(-\d+)?(,\d+(-\d+)?)*"
INTERFACE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
STATES = "(established|related|new|invalid|untracked)"

_MATCHERS: Mapping[str, str] = {
    "src-address": NETWORK,
    "dst-address": NETWORK,
    "src-address-list": NAME,
    "dst-address-list": NAME,
    "in-interface": INTERFACE,
    "out-interface": INTERFACE,
    "in-interface-list": NAME,
    "out-interface-list": NAME,
    "protocol": "tcp|udp|icmp|vrrp",
    "dst-port": PORTS,
    "icmp-options": r"\d+:\d+",
    "limit": rf"\d+(/{TIME})?,\d+:packet",
    "dst-limit": rf"\d+(/{TIME})?,\d+,src-address(/{TIME})?",
    "log-prefix": TEXT,
    "jump-target": NAME,
}
"""Of every menu of the firewall (cli-reference/ip/firewall/raw, mangle, nat: all have them)."""
_STATEFUL: Mapping[str, str] = {
    "connection-state": rf"{STATES}(,{STATES})*",
    "connection-nat-state": r"!?(srcnat|dstnat)",
}
"""Of filter and mangle only: raw comes before connections are tracked, and nat is asked once a
connection (cli-reference/ip/firewall/mangle; the page of nat has neither)."""


@dataclass(frozen=True, kw_only=True)
class Menu:
    """One menu: `args` by the pattern of their values. A settings menu has no items. `flags` are
    set by RouterOS; `once` are arguments that no two items have alike; `lists` of an ordered menu
    are moved and placed."""

    page: str
    args: Mapping[str, str]
    needs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    settings: bool = False
    ordered: bool = False
    read_only: tuple[str, ...] = ()
    refers: Mapping[str, str] = field(default_factory=dict)
    """Arguments whose value is the name of an item of another menu."""


def _firewall(name: str, actions: str, **more: str) -> Menu:
    return Menu(
        page=f"cli-reference/ip/firewall/{name}",
        args={
            **{"chain": NAME, "action": f"accept|drop|jump|log|{actions}", **_MATCHERS},
            **{key.replace("_", "-"): pattern for key, pattern in more.items()},
        },
        needs=("chain", "action"),
        flags=("dynamic", "invalid"),
        ordered=True,
        refers={
            "in-interface": "/interface",
            "out-interface": "/interface",
            "in-interface-list": "/interface/list",
            "out-interface-list": "/interface/list",
        },
    )


MENUS: Mapping[str, Menu] = {
    "/interface": Menu(page="cli-reference/interface", args={"name": INTERFACE}, once=("name",)),
    "/interface/list": Menu(
        page="cli-reference/interface/list", args={"name": NAME}, needs=("name",), once=("name",)
    ),
    "/interface/list/member": Menu(
        page="cli-reference/interface/list/member",
        args={"list": NAME, "interface": INTERFACE},
        needs=("list", "interface"),
        flags=("dynamic",),
        once=("list", "interface"),
        refers={"list": "/interface/list", "interface": "/interface"},
    ),
    "/interface/vrrp": Menu(
        page="cli-reference/interface/vrrp",
        args={
            "name": INTERFACE,
            "interface": INTERFACE,
            "vrid": r"[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5]",
            "priority": r"[1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4]",
            "interval": TIME,
            "version": "2|3",
            "v3-protocol": "ipv4|ipv6",
            "preemption-mode": YES_NO,
            "group-authority": rf"none|self|{INTERFACE}",
            "sync-connection-tracking": YES_NO,
            "remote-address": ADDRESS,
            "connection-tracking-mode": "passive-active|active-active",
            "connection-tracking-port": NUMBER,
        },
        needs=("interface",),
        flags=("invalid", "master", "backup", "running", "failure"),
        once=("interface", "vrid"),
        refers={"interface": "/interface"},
    ),
    "/ip/address": Menu(
        page="cli-reference/ip/address",
        args={"address": rf"{ADDRESS}/\d+", "interface": INTERFACE},
        needs=("address", "interface"),
        flags=("dynamic", "invalid"),
        once=("address", "interface"),
        refers={"interface": "/interface"},
    ),
    "/ip/route": Menu(
        page="cli-reference/ip/route",
        args={"dst-address": NETWORK, "gateway": ADDRESS},
        flags=("dynamic", "active", "static"),
    ),
    "/ip/firewall/address-list": Menu(
        page="cli-reference/ip/firewall/address-list",
        args={"list": NAME, "address": NETWORK},
        needs=("list", "address"),
        flags=("dynamic",),
        once=("list", "address"),
    ),
    "/ip/firewall/filter": _firewall("filter", "reject|return|passthrough", **_STATEFUL),
    "/ip/firewall/nat": _firewall(
        "nat",
        "dst-nat|src-nat|masquerade|redirect|return|passthrough",
        to_addresses=ADDRESS,
        to_ports=r"\d+(-\d+)?",
        src_address_type="!?(local|unicast|broadcast|multicast)",
    ),
    "/ip/firewall/mangle": _firewall(
        "mangle",
        "change-mss|return|passthrough",
        new_mss=NUMBER,
        passthrough=YES_NO,
        tcp_mss=r"\d+-\d+",
        tcp_flags=r"!?(syn|rst|ack|fin)(,!?(syn|rst|ack|fin))*",
        **_STATEFUL,
    ),
    "/ip/firewall/raw": _firewall("raw", "notrack|return|passthrough"),
    "/ipv6/firewall/filter": Menu(
        page="cli-reference/ipv6/firewall/filter",
        args={"chain": NAME, "action": "accept|drop|reject"},
        needs=("chain", "action"),
        flags=("dynamic", "invalid"),
        ordered=True,
    ),
    "/ip/firewall/connection/tracking": Menu(
        page="cli-reference/ip/firewall/connection/tracking",
        args={
            "enabled": "auto|yes|no",
            "loose-tcp-tracking": YES_NO,
            "tcp-established-timeout": TIME,
        },
        settings=True,
        read_only=("max-entries", "total-entries"),
    ),
    "/ip/settings": Menu(
        page="cli-reference/ip/settings",
        args={
            "rp-filter": "no|strict|loose",
            "accept-redirects": YES_NO,
            "accept-source-route": YES_NO,
            "send-redirects": YES_NO,
        },
        settings=True,
    ),
    "/ipv6/settings": Menu(
        page="cli-reference/ipv6/settings",
        args={
            "disable-ipv6": YES_NO,
            "forward": YES_NO,
            "accept-redirects": YES_NO,
            "accept-router-advertisements": "no|yes-if-forwarding-disabled|yes",
        },
        settings=True,
    ),
    "/ip/neighbor/discovery-settings": Menu(
        page="cli-reference/ip/neighbor/discovery-settings",
        args={"discover-interface-list": NAME},
        settings=True,
        refers={"discover-interface-list": "/interface/list"},
    ),
    "/tool/mac-server": Menu(
        page="cli-reference/tool/mac-server",
        args={"allowed-interface-list": NAME},
        settings=True,
        refers={"allowed-interface-list": "/interface/list"},
    ),
    "/tool/mac-server/mac-winbox": Menu(
        page="cli-reference/tool/mac-server/mac-winbox",
        args={"allowed-interface-list": NAME},
        settings=True,
        refers={"allowed-interface-list": "/interface/list"},
    ),
    "/system/resource": Menu(
        page="cli-reference/system/resource", args={}, settings=True, read_only=("version",)
    ),
    "/system/scheduler": Menu(
        page="cli-reference/system/scheduler",
        args={"name": NAME, "start-time": rf"startup|{TEXT}", "interval": TIME, "on-event": TEXT},
        needs=("name",),
        once=("name",),
    ),
    "/file": Menu(page="cli-reference/file", args={"name": TEXT}, once=("name",)),
}
"""By path. Every item has `comment` and `disabled` besides (developer-guides/scripting, Common
commands)."""

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "/system/backup/save": {"name": TEXT, "dont-encrypt": YES_NO},
    "/system/backup/load": {"name": TEXT, "password": ".*"},
    "/ping": {"address": ADDRESS, "count": NUMBER, "interval": TIME},
    "/import": {"file-name": TEXT},
}
"""Commands of their own (cli-reference/system/backup/save and load; a loaded backup restarts the
router and needs a password, if only an empty one, where nobody can be asked)."""

VERBS = ("find", "get", "add", "set", "remove", "move", "enable", "disable")
GLOBALS = (
    *("if", "foreach", "local", "set", "put", "error", "len", "pick", "find", "typeof", "tostr"),
)
"""developer-guides/scripting, Global commands: of these, those that our scripts use."""
RESERVED = frozenset(
    name for menu in MENUS.values() for name in (*menu.args, *menu.flags, "comment", "disabled")
)
"""Names of properties, which no variable may have (developer-guides/scripting, Reserved variable
names)."""

"""What must hold of any stack's resources, whoever wrote the program that made them.

Plain functions over plain values: nothing here knows the engine, so that the pack, the tests and
an export of a stack can all ask them. Property names are the engine's (camelCase). A value that is
not known yet is absent; a rule says nothing about what it cannot see.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

VM: Final = "proxmoxve:index/vmLegacy:VmLegacy"
IMAGE: Final = "proxmoxve:download/file:File"
COMMAND: Final = "command:remote:Command"
RECORD: Final = "cloudflare:index/dnsRecord:DnsRecord"
SETTING: Final = "cloudflare:index/zoneSetting:ZoneSetting"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
SERVICE: Final = "kubernetes:core/v1:Service"
SECRET: Final = "[secret]"  # noqa: S105
"""What the engine shows in place of a secret."""

ROLES: Final = ("router", "balancer", "control-plane", "worker")
"""Roles, as the program tags its VMs: a rule knows a machine's role by nothing else."""
PAIRED_ROLES: Final = ("router", "balancer")
"""Those whose machines must not share a host."""

_EXACT = re.compile(r"^v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack: its type token, name, and known properties.

    `protect` is the engine's option. `shown` are the properties as anybody may read them, with
    `SECRET` in place of each secret; None where that is not known.
    """

    protect: bool = False
    shown: Any = None
    type: str
    name: str
    properties: Mapping[str, Any]


def _every(_: Resource) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule over one resource; `check` yields what is wrong, with what to do.

    It is about resources of its type, and of those about the ones that `concerns` holds for: by a
    role, say, or another type within. A test looks for such a one in the program, so that no rule
    waits for a word that nothing says.
    """

    name: str
    description: str
    type: str
    check: Callable[[Resource], Iterable[str]]
    concerns: Callable[[Resource], bool] = _every

    def faults(self, resource: Resource) -> Iterator[str]:
        """What is wrong with a resource, of whatever type."""
        if resource.type == self.type and self.concerns(resource):
            yield from self.check(resource)


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """One rule over all resources of a stack; `check` yields (resource name, what is wrong)."""

    name: str
    description: str
    check: Callable[[Sequence[Resource]], Iterable[tuple[str, str]]]


def has_role(vm: Resource, *roles: str) -> bool:
    """Whether a VM has one of `ROLES`."""
    return not set(roles).isdisjoint(vm.properties.get("tags") or ())


def _no_surprising_reboot(vm: Resource) -> Iterator[str]:
    # The provider's default is true: a changed tag would reboot a router.
    if vm.properties.get("rebootAfterUpdate", True) is not False:
        yield "may be rebooted by an update: set rebootAfterUpdate to false"


def _no_wait_for_an_agent(vm: Resource) -> Iterator[str]:
    agent = vm.properties.get("agent")
    if isinstance(agent, Mapping) and agent.get("enabled") is True:
        yield "waits up to 15 minutes for a guest agent that the image lacks: disable the agent"


def _own_number(vm: Resource) -> Iterator[str]:
    if vm.properties.get("vmId") is None:
        yield "takes whatever id is free, which races with others: set vmId"


def _checked_image(image: Resource) -> Iterator[str]:
    checksum = image.properties.get("checksum")
    if not isinstance(checksum, str) or not _SHA256.match(checksum):
        yield "is used as it comes: set checksum to the image's SHA-256"
    if image.properties.get("checksumAlgorithm", "sha256") != "sha256":
        yield "has a weak checksum: set checksumAlgorithm to sha256"


def _known_host(command: Resource) -> Iterator[str]:
    connection = command.properties.get("connection")
    if isinstance(connection, Mapping) and connection.get("hostKey", "") == "":
        yield "sends secrets to whoever answers: set connection.hostKey"
    if isinstance(connection, Mapping) and not connection.get("perDialTimeout"):
        yield "may hang on a dead address: set connection.perDialTimeout"


def _update_in_place(command: Resource) -> Iterator[str]:
    if command.properties.get("triggers"):
        yield "is replaced by its triggers, and the old one's delete undoes the new: use update"


def _quiet_command(command: Resource) -> Iterator[str]:
    if command.properties.get("logging") != "none":
        yield "writes its output to the log: set logging to none"
    if command.properties.get("environment"):
        yield "puts values into the environment, which others can read: pass them on stdin"
    if command.properties.get("addPreviousOutputInEnv") is not False:
        yield "puts its last output into the environment: set addPreviousOutputInEnv to false"


def _leads_to_the_service(record: Resource) -> bool:
    # What `cdn.unproxied` asks for by name is called so, and meant to be seen.
    leads = record.properties.get("type") in ("A", "AAAA", "CNAME")
    return leads and not record.name.startswith("unproxied-")


def _hidden_origin(record: Resource) -> Iterator[str]:
    if record.properties.get("proxied") is not True:
        yield "shows the origin's address to everybody: set proxied to true"
    if record.properties.get("ttl") not in (None, 1, 1.0):
        yield "has a TTL that a proxied record cannot have: set ttl to 1"
    content = record.properties.get("content")
    named = record.properties.get("type") in ("A", "AAAA")
    if named and isinstance(content, str) and _private(content):
        yield f"leads to {content}, which the CDN cannot reach: use a public address"


def _private(text: str) -> bool:
    networks = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in networks)


def _encrypts(setting: Resource) -> bool:
    return setting.properties.get("settingId") in ("ssl", "min_tls_version")


def _encrypted_origin(setting: Resource) -> Iterator[str]:
    name, value = setting.properties.get("settingId"), setting.properties.get("value")
    if name == "ssl" and value is not None and value not in ("full", "strict"):
        yield f"lets the CDN speak plain HTTP to the origin ({value}): use full or strict"
    if name == "min_tls_version" and value is not None and value not in ("1.2", "1.3"):
        yield f"accepts TLS {value}, which RFC 8996 forbids: use 1.2 or 1.3"


def _pinned_chart(release: Resource) -> Iterator[str]:
    version = release.properties.get("version")
    if not isinstance(version, str) or not _EXACT.match(version):
        yield "may install another chart tomorrow: set version to an exact one"


def _reached_from_outside(service: Resource) -> bool:
    spec = service.properties.get("spec")
    return isinstance(spec, Mapping) and spec.get("type") in ("NodePort", "LoadBalancer")


def _client_address_kept(service: Resource) -> Iterator[str]:
    if service.properties["spec"].get("externalTrafficPolicy") != "Local":
        yield "hides the client's address behind a node's: set externalTrafficPolicy to Local"


RULES: Final = (
    Rule(
        name="vm-is-not-rebooted-by-an-update",
        description="An update of a VM's description or tags never reboots it.",
        type=VM,
        check=_no_surprising_reboot,
    ),
    Rule(
        name="vm-waits-for-no-agent",
        description="Readiness is SSH and cloud-init, not a guest agent the image lacks.",
        type=VM,
        check=_no_wait_for_an_agent,
    ),
    Rule(
        name="vm-has-its-own-id",
        description="VM ids are decided, so that two runs never race for one.",
        type=VM,
        check=_own_number,
    ),
    Rule(
        name="image-is-checked",
        description="A downloaded image is compared with its SHA-256.",
        type=IMAGE,
        check=_checked_image,
    ),
    Rule(
        name="command-knows-its-host",
        description="Every SSH connection checks the host key and gives up on a dead address.",
        type=COMMAND,
        check=_known_host,
    ),
    Rule(
        name="command-updates-in-place",
        description="A remote command is never replaced by triggers.",
        type=COMMAND,
        check=_update_in_place,
    ),
    Rule(
        name="command-is-quiet",
        description="Nothing a remote command reads or prints reaches a log or an environment.",
        type=COMMAND,
        check=_quiet_command,
    ),
    Rule(
        name="record-hides-the-origin",
        description="Records of the service are proxied and lead to public addresses.",
        type=RECORD,
        check=_hidden_origin,
        concerns=_leads_to_the_service,
    ),
    Rule(
        name="origin-is-encrypted",
        description="The CDN speaks TLS to the origin, and to clients none older than 1.2.",
        type=SETTING,
        check=_encrypted_origin,
        concerns=_encrypts,
    ),
    Rule(
        name="chart-is-pinned",
        description="Every Helm release names an exact chart version.",
        type=RELEASE,
        check=_pinned_chart,
    ),
    Rule(
        name="service-keeps-the-client-address",
        description="A Service that is reachable from outside keeps the client's address.",
        type=SERVICE,
        check=_client_address_kept,
        concerns=_reached_from_outside,
    ),
)


def _numbers_differ(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    holders: dict[object, str] = {}
    for vm in resources:
        number = vm.properties.get("vmId")
        if vm.type != VM or number is None:
            continue
        earlier = holders.setdefault(number, vm.name)
        if earlier != vm.name:
            yield vm.name, f"has the id {number}, which is {earlier}'s: give each its own"


def _pairs_stand_apart(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    vms = [each for each in resources if each.type == VM and each.properties.get("nodeName")]
    if len({vm.properties["nodeName"] for vm in vms}) < 2:
        return
    holders: dict[tuple[str, object], str] = {}
    for vm in vms:
        host = vm.properties["nodeName"]
        for role in PAIRED_ROLES:
            if not has_role(vm, role):
                continue
            earlier = holders.setdefault((role, host), vm.name)
            if earlier != vm.name:
                yield (
                    vm.name,
                    f"stands on {host} like {earlier}: one host's loss takes both {role}s",
                )


STACK_RULES: Final = (
    StackRule(
        name="vm-ids-differ",
        description="No two VMs of a stack have one id.",
        check=_numbers_differ,
    ),
    StackRule(
        name="pairs-stand-apart",
        description="Routers and balancers of a pair stand on different Proxmox hosts.",
        check=_pairs_stand_apart,
    ),
)

"""Text that has a form of its own: URLs, host names, SSH keys, bridges."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from settings.checks.claims import has, segments
from settings.checks.registry import reads
from settings.checks.software import repositories
from settings.models.base import IPV4_ONLY, IPV4_ONLY_RIGHT, is_ipv6
from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_BRIDGE = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]{0,14}$")
_TAG = re.compile(r"^[a-z0-9_][a-z0-9_+.-]*$")
_NTP = re.compile(r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
_SSH_KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


@reads()
def urls_are_ipv4(stack: Stack) -> Iterator[Problem]:
    """An IPv6 literal hides in a URL as well."""
    for path, url in _urls(stack):
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            yield problem(path, url, "is not a URL", "write SCHEME://HOST/PATH")
            continue
        if ":" in host and is_ipv6(host):
            yield problem(path, url, IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address or a name"))


def _urls(stack: Stack) -> Iterator[tuple[str, str]]:
    if has(stack, "proxmox"):
        yield "proxmox.endpoint", stack.proxmox.endpoint
        yield "proxmox.image.url", stack.proxmox.image.url
    if has(stack, "software"):
        for path, repository in repositories(stack):
            for index, uri in enumerate(repository.uris):
                yield f"{path}.uris[{index}]", uri
    if has(stack, "platform"):
        platform = stack.platform
        for path, chart in (
            ("platform.cilium", platform.cilium),
            ("platform.metallb.chart", platform.metallb.chart),
            ("platform.ingress.chart", platform.ingress.chart),
        ):
            if chart.repository is not None:
                yield f"{path}.repository", chart.repository
    if has(stack, "cdn") and stack.cdn.api_url is not None:
        yield "cdn.api_url", stack.cdn.api_url


@reads("cdn")
def api_url_is_a_url(stack: Stack) -> Iterator[Problem]:
    """The Cloudflare API's base URL is fetched over HTTP."""
    url = stack.cdn.api_url
    if url is not None and not url.startswith(("http://", "https://")):
        yield problem("cdn.api_url", url, "is not a URL", "write https://HOST/client/v4")


@reads("networks")
def clocks_can_be_set(stack: Stack) -> Iterator[Problem]:
    """NTP servers are names or IPv4 addresses."""
    for index, server in enumerate(stack.networks.ntp):
        path = f"networks.ntp[{index}]"
        if is_ipv6(server) and ":" in server:
            yield problem(path, server, IPV4_ONLY, IPV4_ONLY_RIGHT.format(what="address or a name"))
        elif not _NTP.match(server) or (_numeric(server) and not _is_address(server)):
            yield problem(path, server, "is no NTP server", "write a host name or an IPv4 address")


def _numeric(text: str) -> bool:
    return text.replace(".", "").isdigit()


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


@reads("networks")
def bridges_are_interfaces(stack: Stack) -> Iterator[Problem]:
    """Linux and Proxmox: 15 characters, no space or slash."""
    for name, segment in segments(stack.networks):
        if not _BRIDGE.match(segment.bridge):
            yield problem(
                f"networks.{name}.bridge",
                segment.bridge,
                "is no bridge name",
                "write it as Proxmox shows it, such as vmbr1",
            )


@reads("proxmox")
def tags_are_accepted(stack: Stack) -> Iterator[Problem]:
    """Proxmox lower-cases tags, which would read back as a change for ever."""
    for index, tag in enumerate(stack.proxmox.tags):
        if not _TAG.match(tag):
            yield problem(
                f"proxmox.tags[{index}]",
                tag,
                "is no tag Proxmox keeps as written",
                "write lower-case letters, digits and _ + . -",
            )


@reads("access")
def authorized_keys_are_public_keys(stack: Stack) -> Iterator[Problem]:
    """sshd(8), AUTHORIZED_KEYS: type, base64 blob that names the same type, comment."""
    seen: dict[str, int] = {}
    for index, line in enumerate(stack.access.authorized_keys):
        path = f"access.authorized_keys[{index}]"
        if "PRIVATE KEY" in line:
            yield problem(
                path,
                ABSENT,
                "is a private key, in clear text",
                "write the .pub file's line, and replace the key pair: this one has leaked",
            )
            continue
        words = line.split()
        if len(words) < 2 or words[0] not in _SSH_KINDS or not _is_blob(words[0], words[1]):
            yield problem(
                path,
                line,
                "is no OpenSSH public key",
                "write the .pub file's line, such as: ssh-ed25519 AAAA... who@where",
            )
            continue
        earlier = seen.setdefault(words[1], index)
        if earlier != index:
            yield problem(
                path, line, f"stands at access.authorized_keys[{earlier}] already", "name it once"
            )


def _is_blob(kind: str, blob: str) -> bool:
    try:
        raw = base64.b64decode(blob, validate=True)
    except binascii.Error:
        return False
    length = int.from_bytes(raw[:4], "big")
    return raw[4 : 4 + length] == kind.encode() and len(raw) > 4 + length

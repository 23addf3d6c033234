"""The keys a stack file may hold: sections of the model, and secrets."""

from __future__ import annotations

from typing import Final

from settings.models.acme import ACME_TOKEN
from settings.models.stack import Stack
from settings.problems import NAMESPACE, Problem

SECTIONS: Final = tuple(Stack.model_fields)
"""`environment`, `networks`, ...: one configuration key each."""

SECRETS: Final[dict[str, str]] = {
    "proxmoxApiToken": "the Proxmox API token, USER@REALM!NAME=UUID",
    "proxmoxSshKey": "the private SSH key that uploads snippets to the Proxmox hosts",
    "deployKey": "the private SSH key that reaches the machines; absent, the stack makes one, "
    "which physical routers do not know",
    "deployKeyBefore": "the deploy key until now, for the one update that brings another",
    "cloudflareApiToken": "the Cloudflare API token for the zone",
    "tlsCertificate": "the certificate chain (PEM) when the certificate's source is `given`",
    "tlsKey": "the private key (PEM) when the certificate's source is `given`",
    "bgpPasswords": "a line NAME=PASSWORD for each provider with one, for `inside` and `balancers`",
    "platformSecrets": "a line NAMESPACE/NAME/KEY=VALUE for each key of the platform's Secrets",
    "tlsFurther": "the further certificates (PEM), each a chain with its private key behind it",
    "acmeDnsToken": "the Cloudflare API token that may edit the records of "
    "`balancers.certificate.acme.zones`",
    "backupSshKey": "the private SSH key that the store of cluster.backups lets in",
    "backupKey": "the private key (PEM) that opens cluster.restore.archive, for that update alone",
}
"""Flat keys, each ciphertext, with what it is."""

PROVIDERS: Final = ("cloudflare", "command", "kubernetes", "proxmoxve", "pulumi", "tls")
"""Namespaces of the engine and of the providers: their keys are theirs."""

RENAMED: Final[tuple[tuple[str, str, str, dict[str, str]], ...]] = (
    ("cdn", "ranges", "kind", {"list": "listed"}),
)
"""Keys that have another name since: section, old name, new name, values with other names."""

_FROM_FILE: Final = {
    *("proxmoxSshKey", "deployKey", "deployKeyBefore", "tlsCertificate", "tlsKey", "bgpPasswords"),
    "platformSecrets",
    "backupSshKey",
    "backupKey",
    "tlsFurther",
}


def required_secrets(stack: Stack) -> list[str]:
    """The secrets this stack cannot be built without, in a fixed order.

    Cloudflare's address ranges are public: a token is needed only for a zone or an origin CA
    certificate. A physical machine lets in a key that somebody gave it before, and so none that the
    stack makes.
    """
    needed = ["proxmoxApiToken", "proxmoxSshKey"]
    if stack.routers.physical:
        needed.append("deployKey")
    if stack.cdn.zone is not None or stack.balancers.certificate.source == "origin-ca":
        needed.append("cloudflareApiToken")
    if stack.balancers.certificate.source == "given":
        needed += ["tlsCertificate", "tlsKey"]
    if stack.routers.bgp is not None and stack.routers.bgp.passwords():
        needed.append("bgpPasswords")
    if stack.references():
        needed.append("platformSecrets")
    if stack.balancers.certificate.further:
        needed.append("tlsFurther")
    ordered = stack.balancers.certificate.ordered
    if ordered is not None and ordered.traits.zones:
        needed.append(ACME_TOKEN)
    if stack.cluster.backups is not None:
        needed.append("backupSshKey")
    if stack.cluster.restore is not None:
        needed.append("backupKey")
    return needed


def lines_of(name: str, stack: Stack) -> list[str]:
    """What each line of a secret begins with, of one that has a line for each of several."""
    if name == "bgpPasswords" and stack.routers.bgp is not None:
        return [f"{each}=" for each in stack.routers.bgp.passwords()]
    return [f"{each}=" for each in stack.references()] if name == "platformSecrets" else []


def command(name: str, stack_name: str) -> str:
    """The command that sets a secret; the value is asked for, or read from a file on stdin, so
    that it stays out of the shell's history and the process list."""
    tail = " < FILE" if name in _FROM_FILE else ""
    return f"pulumi config set --secret {NAMESPACE}:{name} -s {stack_name}{tail}"


def meaning(name: str, stack: Stack) -> str:
    """What a secret is, and of one of several lines which this stack needs."""
    lines = lines_of(name, stack)
    return f"{SECRETS[name]}: here {', '.join(lines)}" if lines else SECRETS[name]


def missing_secret(name: str, stack_name: str, stack: Stack) -> Problem:
    """The problem of a required secret that is not set."""
    return Problem(
        key=f"{NAMESPACE}:{name}",
        wrong=f"is not set ({meaning(name, stack)})",
        right=f"run: {command(name, stack_name)}",
    )


def split(key: str) -> str | None:
    """The name behind the program's namespace, or None for another program's or a bare key."""
    namespace, colon, name = key.partition(":")
    return name if colon and namespace == NAMESPACE else None

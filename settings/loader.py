"""The stack as the engine hands it over: the only module of the settings that knows Pulumi.

Nothing is created before everything here has passed: sections, whole-stack checks, secrets, and,
on `up`, the blanks that a preview does not need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pulumi
from pulumi.runtime import config as engine

from settings.checks import pending
from settings.files import examine
from settings.keys import SECRETS, SECTIONS, command, missing_secret, required_secrets, split
from settings.lines import judge_lines
from settings.models.stack import Stack
from settings.problems import NAMESPACE, Problem, SettingsError
from settings.shape import annotation_at, model_of

_NAMED: Final = r"[a-z][a-z0-9-]*=[A-Za-z0-9._~+=@%:,/-]{1,80}"
"""Linux takes 80 bytes (TCP_MD5SIG_MAXKEYLEN); these characters mean nothing to any daemon."""
_REFERRED: Final = r"[^\s/=]+/[^\s/=]+/[^\s/=]+=[^\x00-\x1f\x7f]+"
"""A file with the line ends of another system would end every value with one more character."""
_FORMS: Final = {
    "proxmoxApiToken": (r"[^\s@!=]+@[^\s@!=]+![^\s=]+=\S+", "USER@REALM!NAME=UUID"),
    "proxmoxSshKey": (r"(?s)\s*-----BEGIN [A-Z ]*PRIVATE KEY-----.*", "an OpenSSH private key"),
    "deployKey": (r"(?s)\s*-----BEGIN [A-Z ]*PRIVATE KEY-----.*", "an OpenSSH private key"),
    "deployKeyBefore": (r"(?s)\s*-----BEGIN [A-Z ]*PRIVATE KEY-----.*", "an OpenSSH private key"),
    "cloudflareApiToken": (r"\S+", "the token alone, on one line"),
    "tlsCertificate": (r"(?s)\s*-----BEGIN CERTIFICATE-----.*", "a PEM certificate chain"),
    "tlsKey": (r"(?s)\s*-----BEGIN [A-Z ]*PRIVATE KEY-----.*", "a PEM private key"),
    "bgpPasswords": (
        rf"\s*{_NAMED}(\n{_NAMED})*\s*",
        "NAME=PASSWORD, one a line, of letters, digits and . _ ~ + = @ % : , / -, at most 80",
    ),
    "platformSecrets": (
        rf"\s*{_REFERRED}(\n{_REFERRED})*\s*",
        "NAMESPACE/NAME/KEY=VALUE, one a line, without control characters",
    ),
    "tlsFurther": (r"(?s)\s*-----BEGIN CERTIFICATE-----.*", "PEM chains, each with its key"),
    "acmeDnsToken": (r"[A-Za-z0-9_-]+", "the token alone, of letters, digits, _ and -"),
    "backupSshKey": (r"(?s)\s*-----BEGIN [A-Z ]*PRIVATE KEY-----.*", "an OpenSSH private key"),
    "backupKey": (
        r"(?s)\s*-----BEGIN (?!ENCRYPTED)[A-Z ]*PRIVATE KEY-----.*",
        "a PEM private key without a passphrase",
    ),
}


_SEALED: Final = "v1:not:shown"
"""Stands for a ciphertext, which the engine hands over decrypted."""


class StackRefused(SettingsError, pulumi.RunError):
    """The stack cannot be built; as a `RunError` the engine shows it without a traceback."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The stack's secrets, each a secret output; None where neither given nor needed.

    In a preview a needed one that is not set is an unknown secret, so that the plan can still be
    read by someone who may not build.
    """

    proxmox_api_token: pulumi.Output[str]
    proxmox_ssh_key: pulumi.Output[str]
    deploy_key: pulumi.Output[str] | None
    deploy_key_before: pulumi.Output[str] | None
    cloudflare_api_token: pulumi.Output[str] | None
    tls_certificate: pulumi.Output[str] | None
    tls_key: pulumi.Output[str] | None
    bgp_passwords: pulumi.Output[str] | None
    platform_secrets: pulumi.Output[str] | None
    backup_ssh_key: pulumi.Output[str] | None
    backup_key: pulumi.Output[str] | None
    tls_further: pulumi.Output[str] | None
    acme_dns_token: pulumi.Output[str] | None


def load() -> tuple[Stack, Secrets]:
    """The running program's stack and its secrets.

    Raises `StackRefused` with every problem at once. In a preview, missing secrets and blanks
    are warnings.
    """
    given = _given()
    found = examine(_configuration(given))
    malformed = _malformed(given)
    if not malformed:
        malformed = _the_same_key(given)
    stack, problems, warnings = found.stack, [*found.problems, *malformed], list(found.warnings)
    unset: list[Problem] = []
    if stack is not None:
        name = pulumi.get_stack()
        wanted = [each for each in required_secrets(stack) if each not in given]
        unset = [missing_secret(each, name, stack) for each in wanted] + pending(stack)
        if not pulumi.runtime.is_dry_run():
            problems += unset
        if not malformed:
            problems += _certificates(given, stack, warnings)
            problems += judge_lines(given, stack, pulumi.get_stack())
            warnings += _rotation(given)
        problems += _authorities(stack, warnings)
    if problems or stack is None:
        raise StackRefused(problems)
    for each in warnings:
        pulumi.log.warn(str(each))
    for each in unset:
        pulumi.log.warn(f"{each} (needed before `pulumi up`)")
    return stack, _secrets(given, required_secrets(stack))


def _given() -> dict[str, str]:
    """Everything in the program's namespace, by bare name, as the engine gives it: text."""
    everything: Mapping[str, Any] = {**engine.get_config_env(), **engine.CONFIG.get()}
    named = ((split(key), str(value)) for key, value in everything.items())
    return {name: value for name, value in named if name is not None}


def _is_secret(name: str) -> bool:
    key = f"{NAMESPACE}:{name}"
    return engine.is_config_secret(key) or key in engine.get_config_secret_keys_env()


def _configuration(given: Mapping[str, str]) -> dict[str, Any]:
    """What a stack file would say: what is secret is sealed again, so that no message shows it."""
    plain: dict[str, Any] = {}
    for name, text in given.items():
        sealed = _is_secret(name)
        plain[f"{NAMESPACE}:{name}"] = {"secure": _SEALED} if sealed else _decoded(name, text)
    return plain


def _decoded(name: str, text: str) -> Any:
    if name not in SECTIONS or model_of(annotation_at((name,))) is None:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _malformed(given: Mapping[str, str]) -> list[Problem]:
    found: list[Problem] = []
    for name, (form, meaning) in _FORMS.items():
        if name in given and re.fullmatch(form, given[name]) is None:
            found.append(
                Problem(
                    key=f"{NAMESPACE}:{name}",
                    wrong="has the wrong form (its value is not shown)",
                    right=f"it is {meaning}; run: {command(name, pulumi.get_stack())}",
                )
            )
    return found


def _the_same_key(given: Mapping[str, str]) -> list[Problem]:
    key, before = given.get("deployKey", ""), given.get("deployKeyBefore")
    if before is None or key.split() != before.split():
        return []
    right = f"set it to the key that the machines let in now, or {_without_the_key_before()}"
    wrong = "is the same key as deployKey"
    return [Problem(key=f"{NAMESPACE}:deployKeyBefore", wrong=wrong, right=right)]


def _rotation(given: Mapping[str, str]) -> list[Problem]:
    if "deployKeyBefore" not in given:
        return []
    wrong = "lets the new deploy key in, and is good for nothing after that"
    right = f"when an update has gone through, {_without_the_key_before()}"
    return [Problem(key=f"{NAMESPACE}:deployKeyBefore", wrong=wrong, right=right)]


def _without_the_key_before() -> str:
    return f"run: pulumi config rm {NAMESPACE}:deployKeyBefore -s {pulumi.get_stack()}"


def _certificates(given: Mapping[str, str], stack: Stack, warnings: list[Problem]) -> list[Problem]:
    """What is wrong with given certificates; what soon will be goes to `warnings`."""
    wanted = stack.balancers.certificate
    chain, key = given.get("tlsCertificate"), given.get("tlsKey")
    more = given.get("tlsFurther")
    first = wanted.source == "given" and chain is not None and key is not None
    if not first and not (wanted.further and more is not None):
        return []
    # Imported here: most stacks have no need of it, and it takes a tenth of a second.
    from settings.certificates import judge, judge_further

    now, verdicts = datetime.now(UTC), []
    if wanted.source == "given" and chain is not None and key is not None:
        verdicts.append(judge(chain, key, wanted.names, now))
    if wanted.further and more is not None:
        verdicts.append(judge_further(more, wanted.further, now))
    for verdict in verdicts:
        warnings += verdict.warnings
    return [problem for verdict in verdicts for problem in verdict.problems]


def _authorities(stack: Stack, warnings: list[Problem]) -> list[Problem]:
    """What is wrong with the authorities that the stack names; what soon will be goes to
    `warnings`."""
    found: list[Problem] = []
    for key, pem in _named_authorities(stack):
        from settings.certificates import judge_authorities

        verdict = judge_authorities(pem, key, datetime.now(UTC))
        warnings += verdict.warnings
        found += verdict.problems
    return found


def _named_authorities(stack: Stack) -> Iterator[tuple[str, str]]:
    """The stack's keys that hold certificates of authorities, with these."""
    pulls, logging = stack.cdn.origin_pulls, stack.balancers.logging
    ordered = stack.balancers.certificate.ordered
    if ordered is not None and ordered.authorities is not None:
        yield "balancers.certificate.acme.authorities", ordered.authorities
    if pulls is not None and pulls.client_ca is not None:
        yield "cdn.origin_pulls.client_ca", pulls.client_ca
    for index, each in enumerate(logging.servers if logging else []):
        if each.tls is not None:
            yield f"balancers.logging.servers[{index}].tls.authorities", each.tls.authorities


def _secrets(given: Mapping[str, str], needed: list[str]) -> Secrets:
    config = pulumi.Config(NAMESPACE)

    def required(name: str) -> pulumi.Output[str]:
        return config.require_secret(name) if name in given else unknown_secret()

    def optional(name: str) -> pulumi.Output[str] | None:
        return required(name) if name in given or name in needed else None

    return Secrets(
        proxmox_api_token=required("proxmoxApiToken"),
        proxmox_ssh_key=required("proxmoxSshKey"),
        deploy_key=optional("deployKey"),
        deploy_key_before=optional("deployKeyBefore"),
        cloudflare_api_token=optional("cloudflareApiToken"),
        tls_certificate=optional("tlsCertificate"),
        tls_key=optional("tlsKey"),
        bgp_passwords=optional("bgpPasswords"),
        platform_secrets=optional("platformSecrets"),
        backup_ssh_key=optional("backupSshKey"),
        backup_key=optional("backupKey"),
        tls_further=optional("tlsFurther"),
        acme_dns_token=optional("acmeDnsToken"),
    )


def unknown_secret() -> pulumi.Output[str]:
    """A secret output without a value yet, as the output of a resource not yet created is."""
    known = pulumi.Output.secret("")

    async def is_known() -> bool:
        return False

    async def is_secret() -> bool:
        return True

    async def value() -> str:
        # The engine's SDK never looks at the value of an unknown; None would break its type.
        return ""

    return pulumi.Output(known.resources(), value(), is_known(), is_secret())


assert set(_FORMS) == set(SECRETS)  # noqa: S101 (a secret without a form would go unchecked)

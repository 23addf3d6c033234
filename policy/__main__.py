"""The policy pack: `pulumi preview --policy-pack policy`.

Needs `pulumi-policy` beside the program's requirements and a full Pulumi CLI, which carries the
host of Python policy packs. A pack is shown what will be there, never what goes: that one the
engine refuses for what is protected, and `policy.judge` for any plan.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

if __name__ == "__main__":  # the engine starts the pack with this directory as its root
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from policy import rules, table

NEVER_SECRET: Final[Mapping[str, tuple[str, ...]]] = {
    rules.VM: ("name", "description", "tags"),
    rules.COMMAND: ("create", "update", "delete", "environment"),
    "kubernetes:core/v1:ConfigMap": ("data",),
}
"""Where no secret may stand, whether marked or not. The engine hands a pack every secret in clear
and does not say which are, so that elsewhere a pack cannot tell."""


def _resource(
    type_: str, name: str, properties: Mapping[str, Any], options: Any = None
) -> rules.Resource:
    return rules.Resource(
        type=type_,
        name=name,
        properties=properties,
        protect=bool(options and options.protect),
        shown={key: properties.get(key) for key in NEVER_SECRET.get(type_, ())},
    )


def resource_policy(rule: rules.Rule) -> ResourceValidationPolicy:
    """A rule over one resource, as the engine asks for it."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for wrong in rule.faults(_resource(args.resource_type, args.name, args.props)):
            report(f"{args.name} {wrong}", None)

    return ResourceValidationPolicy(name=rule.name, description=rule.description, validate=validate)


def stack_policy(rule: rules.StackRule) -> StackValidationPolicy:
    """A rule over all resources, as the engine asks for it."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        seen = [
            _resource(each.resource_type, each.name, each.props, each.opts)
            for each in args.resources
        ]
        urns = {each.name: each.urn for each in args.resources}
        for name, wrong in rule.check(seen):
            report(f"{name} {wrong}", urns.get(name))

    return StackValidationPolicy(name=rule.name, description=rule.description, validate=validate)


def policies() -> list[Policy]:
    """Every rule over what will be there, as a policy."""
    return [
        *(resource_policy(rule) for rule in table.RULES),
        *(stack_policy(rule) for rule in table.STACK_RULES),
    ]


if __name__ == "__main__":
    PolicyPack(
        name="layered-cloud",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=policies(),
    )

"""The policy pack: `pulumi preview --policy-pack policy`.

Needs `pulumi-policy` beside the program's requirements and a full Pulumi CLI, which carries the
host of Python policy packs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

try:
    from policy import rules
except ImportError:  # the engine starts the pack with this directory as its root
    import rules  # type: ignore[import-not-found, no-redef]


def _resource(type_: str, name: str, properties: Mapping[str, Any]) -> rules.Resource:
    return rules.Resource(type=type_, name=name, properties=properties)


def resource_policy(rule: rules.Rule) -> ResourceValidationPolicy:
    """A rule over one resource, as the engine asks for it."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for wrong in rule.faults(_resource(args.resource_type, args.name, args.props)):
            report(f"{args.name} {wrong}", None)

    return ResourceValidationPolicy(name=rule.name, description=rule.description, validate=validate)


def stack_policy(rule: rules.StackRule) -> StackValidationPolicy:
    """A rule over all resources, as the engine asks for it."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        seen = [_resource(each.resource_type, each.name, each.props) for each in args.resources]
        urns = {each.name: each.urn for each in args.resources}
        for name, wrong in rule.check(seen):
            report(f"{name} {wrong}", urns.get(name))

    return StackValidationPolicy(name=rule.name, description=rule.description, validate=validate)


def policies() -> list[Policy]:
    """Every rule as a policy."""
    return [
        *(resource_policy(rule) for rule in rules.RULES),
        *(stack_policy(rule) for rule in rules.STACK_RULES),
    ]


if __name__ == "__main__":
    PolicyPack(
        name="layered-cloud",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=policies(),
    )

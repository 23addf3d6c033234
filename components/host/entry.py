"""Another deploy key: the new one is let in with the old one, used, and then the old one goes.

A machine lets in the keys that its baseline last pushed, and the program logs in with the stack's
deploy key at once, whatever it is today. So a changed key would lock it out of everything:

- `gate` remembers which key went through last. A run with another one, which was not told the key
  before it, is refused there, before a machine is asked anything.
- `way_in` logs in with the key before and lets the new one in. Every other command of the machine
  waits for it and uses the new one, the baseline among them, which takes the old one away.

Host keys need nothing of the kind: another host key is another machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pulumi
from pulumi_command import local, remote

from components.host import payload
from components.host.machine import Machine
from components.host.transport import Exchange

# The provider hands the output of the last run over (`addPreviousOutputInEnv`).
_GATE = """
last=${PULUMI_COMMAND_STDOUT:-$NOW}
if [ "$last" = "$NOW" ] || [ "$last" = "$BEFORE" ]; then
    echo "$NOW"
    exit 0
fi
cat >&2 <<WAY
The deploy key is another one, and no machine would let it in: nothing was changed on them.
    they let in: $last
    this run has: $NOW${BEFORE:+
    and before it: $BEFORE}
Give the one that they let in beside the new one, for one update:
    pulumi config set --secret layered-cloud:deployKeyBefore -s $STACK < FILE
and take it away when that has gone through. One that the stack had made itself is its output:
    pulumi stack output deploy_key --show-secrets -s $STACK
WAY
exit 1
"""

_IS_IN = """
keys=$(getent passwd "$user" | cut -d: -f6)/.ssh/authorized_keys
grep -qFf "$SECRETS/key" "$keys"
"""
# The file is made anew beside itself, so that sshd never reads half of it.
_LET_IN = r"""
keys=$(getent passwd "$user" | cut -d: -f6)/.ssh/authorized_keys
fresh=$(mktemp "$keys.XXXXXX")
sed '$a\' "$keys" >"$fresh"
cat "$SECRETS/key" >>"$fresh"
echo >>"$fresh"
chown --reference="$keys" "$fresh"
chmod --reference="$keys" "$fresh"
mv "$fresh" "$keys"
"""


def without_comment(public_key: str) -> str:
    """`TYPE BASE64` of an OpenSSH public key."""
    return " ".join(public_key.split()[:2])


def gate(
    name: str,
    *,
    now: pulumi.Input[str],
    before: pulumi.Input[str] | None,
    parent: pulumi.Resource,
) -> pulumi.Resource:
    """What every command of every machine waits for. `now` and `before` are public keys."""

    def shown(key: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.from_input(key).apply(without_comment)

    return local.Command(
        name,
        create=_GATE,
        update=_GATE,
        environment={
            "NOW": shown(now),
            "BEFORE": "" if before is None else shown(before),
            "STACK": pulumi.get_stack(),
        },
        add_previous_output_in_env=True,
        logging=local.Logging.NONE,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def way_in(
    name: str,
    machine: Machine,
    *,
    public_key: pulumi.Input[str],
    before: pulumi.Input[str],
    parent: pulumi.ComponentResource,
    aliases: Sequence[pulumi.Alias] = (),
) -> remote.Command:
    """Lets `public_key` in on the machine, by the private key `before`. Taken away again it asks
    nothing of the machine, and on a machine that was made anew since it is not run again."""
    user = machine.connection.user

    def request(key: str) -> str:
        return payload.document(
            payload.action(
                resource=name,
                name="way-in",
                guard=f"user={user}\n{_IS_IN}",
                do=f"user={user}\n{_LET_IN}",
                undo=None,
                result=None,
                # No secret, but a text that the shell must not read.
                secrets={"key": without_comment(key)},
                epoch="1",
                seconds=60,
            )
        )

    old = dataclasses.replace(
        machine,
        connection=dataclasses.replace(machine.connection, private_key=before),
        vm=None,
        incarnation=None,
    )
    exchange = Exchange(
        machine=old,
        push="act",
        take_away=None,
        stdin=pulumi.Output.from_input(public_key).apply(request),
        opts=pulumi.ResourceOptions(parent=parent, aliases=list(aliases)),
    )
    return remote.Command(name, exchange.args(), exchange.options(name))

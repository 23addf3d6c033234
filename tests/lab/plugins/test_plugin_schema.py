"""Inputs against the SDK's own types."""

from __future__ import annotations

import pytest

from lab.plugins import schema
from lab.plugins.wire import UNKNOWN

COMMAND = "pulumi_command.remote:Command"


def test_an_unknown_property_is_named_with_near_matches():
    assert schema.problems(COMMAND, {"connection": {"host": "h"}, "creat": "x"}) == {
        "creat": "CommandArgs has no such property; did you mean create?"
    }


def test_a_python_name_is_not_the_wire_name():
    found = schema.problems(COMMAND, {"connection": {"host": "h", "private_key": "k"}})
    assert found["connection.private_key"].startswith(
        "ConnectionArgs has no such property; did you mean privateKey"
    )


def test_a_name_like_none_gets_the_list_of_all():
    found = schema.problems("pulumi_tls:PrivateKey", {"algorithm": "RSA", "zzzz": 1})
    assert found == {
        "zzzz": "PrivateKeyArgs has no such property; it has algorithm, ecdsaCurve, rsaBits"
    }


def test_what_is_missing_is_named_at_its_place():
    assert schema.problems(COMMAND, {"connection": {}}) == {
        "connection.host": "ConnectionArgs needs it and it is missing"
    }
    assert schema.problems(COMMAND, {}) == {"connection": "CommandArgs needs it and it is missing"}


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"create": 1}, "create", "must be a string, not a number"),
        ({"connection": "h"}, "connection", "must be an object (ConnectionArgs), not a string"),
        ({"environment": ["A=1"]}, "environment", "must be a map, not a list"),
        ({"environment": {"A": 1}}, "environment.A", "must be a string, not a number"),
        ({"triggers": "now"}, "triggers", "must be a list, not a string"),
        (
            {"addPreviousOutputInEnv": 0},
            "addPreviousOutputInEnv",
            "must be a boolean, not a number",
        ),
        (
            {"logging": "all"},
            "logging",
            "'all' is not one of 'stdout', 'stderr', 'stdoutAndStderr', 'none'",
        ),
        (
            {"connection": {"host": "h", "dialErrorLimit": 1.5}},
            "connection.dialErrorLimit",
            "must be a whole number, not a number",
        ),
        (
            {"connection": {"host": "h", "port": True}},
            "connection.port",
            "must be a number, not a boolean",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_it_must_be(given, path, reason):
    assert schema.problems(COMMAND, {"connection": {"host": "h"}, **given}) == {path: reason}


def test_unknown_and_null_values_fit_everywhere():
    assert schema.problems(COMMAND, {"connection": UNKNOWN, "create": None}) == {}
    assert schema.problems(COMMAND, {"connection": {"host": UNKNOWN, "port": UNKNOWN}}) == {}


def test_any_value_goes_where_the_sdk_says_any():
    triggers = [1, "a", {"b": [True]}]
    assert schema.problems(COMMAND, {"connection": {"host": "h"}, "triggers": triggers}) == {}


def test_a_deep_kubernetes_object_is_checked_all_the_way_down():
    pod = {
        "spec": {
            "containers": [
                {"name": "a", "image": "b", "ports": [{"containerPort": 80, "hostPrt": 1}]}
            ]
        }
    }
    found = schema.problems("pulumi_kubernetes.core.v1:Pod", pod)
    assert list(found) == ["spec.containers[0].ports[0].hostPrt"]
    assert "did you mean hostPort" in found["spec.containers[0].ports[0].hostPrt"]


def test_a_virtual_machine_of_proxmox_is_checked():
    machine = {"nodeName": "pve1", "disks": [{"interface": "scsi0", "sise": 8}]}
    assert list(schema.problems("pulumi_proxmoxve:VmLegacy", machine)) == ["disks[0].sise"]


def test_a_providers_configuration_is_decoded_from_json_text_by_the_sdks_types():
    config = {"endpoint": "https://198.18.0.2:8006/", "insecure": "true", "ssh": '{"agent": false}'}
    assert schema.decode_config("pulumi_proxmoxve:Provider", config) == {
        "endpoint": "https://198.18.0.2:8006/",
        "insecure": True,
        "ssh": {"agent": False},
    }
    with pytest.raises(ValueError, match="insecure: not the JSON text of a value"):
        schema.decode_config("pulumi_proxmoxve:Provider", {"insecure": "yes"})


def test_a_functions_arguments_are_checked_by_its_signature():
    function = "pulumi_cloudflare.get_zone:get_zone"
    assert schema.function_problems(function, {"zoneId": "x"}) == {}
    found = schema.function_problems(function, {"zoneid": "x"})
    assert found == {"zoneid": "get_zone has no such property; did you mean zoneId?"}
    assert schema.function_problems(function, {"filter": {"match": 1}}) == {
        "filter.match": "must be a string, not a number"
    }

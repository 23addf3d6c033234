"""Package repositories: what cannot be written out in a fixture."""

from __future__ import annotations

from settings.files import examine
from tests.settings.fixtures import patched


def test_upstreams_other_old_host_is_refused_too() -> None:
    # Put together here: no file of this project names a package registry's host.
    old = "https://" + ".".join(("packages", "cloud", "google", "com")) + "/apt"
    key = "software.kubernetes_repository.uris[0]"
    found = examine(patched({"set": {"/software/kubernetes_repository/uris": [old]}})).problems

    assert [str(each) for each in found] == [
        f"layered-cloud:{key}: {old} was taken down in 2024; "
        "write https://pkgs.k8s.io/core:/stable:/v1.36/deb/ with suites: [/]"
    ]

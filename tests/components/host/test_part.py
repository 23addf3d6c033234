"""Parts as values: their texts, and several as one."""

from __future__ import annotations

import pytest

from components.host.part import (
    Check,
    Exporter,
    Late,
    OpenPort,
    Package,
    Part,
    Service,
    Step,
    Text,
    summed,
)


def test_a_late_text_is_made_of_the_values_it_names() -> None:
    part = Part(
        name="demo",
        files=(
            Text(path="/a", content="now\n"),
            Text(path="/b", content=Late(needs=("who",), render=lambda who: f"for {who}\n")),
        ),
    )
    assert part.texts(who="cdn", other="unread") == {"/a": "now\n", "/b": "for cdn\n"}
    with pytest.raises(KeyError, match="who"):
        part.texts()


def test_a_sum_has_everything_in_order_and_a_shared_package_once() -> None:
    port = OpenPort(protocol="tcp", number=80, network="lan", sources="lan", purpose="requests")
    one = Part(
        name="one",
        packages=(Package(name="shared"), Package(name="own")),
        files=(Text(path="/one", content=""),),
        services=(Service(name="one"),),
        ports=(port,),
    )
    other = Part(
        name="other",
        packages=(Package(name="shared"),),
        files=(Text(path="/other", content=""),),
        checks=(Check(name="check", argv=("true",)),),
        steps=(Step(name="step", argv=("true",)),),
        services=(Service(name="other"),),
        exporters=(Exporter(name="other", network="management", port=9100),),
    )
    whole = summed("layer", [one, other])
    assert whole.name == "layer"
    assert [each.name for each in whole.packages] == ["shared", "own"]
    assert [each.path for each in whole.files] == ["/one", "/other"]
    assert [each.name for each in whole.services] == ["one", "other"]
    assert (whole.checks, whole.steps) == (other.checks, other.steps)
    assert (whole.ports, whole.exporters) == ((port,), other.exporters)

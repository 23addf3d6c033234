"""Public services: applications on the cluster that visitors reach by names of their own."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from settings.models.base import Domain, Form, Name, Port, Prose, Strict, Unit, fault
from settings.models.charts import SecretKey
from settings.models.image_names import ImageName
from settings.models.platform import NodePort
from settings.models.routing import Route, UrlPath, UrlPrefix


def _port_of(reference: str) -> str:
    port = reference.rpartition(":")[2]
    if port.isdigit() and int(port) > 65_535:
        raise fault("has no such port", "write a port of 1 to 65535")
    return reference


ServiceReference = Annotated[
    str,
    Form(
        r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?/[a-z]([a-z0-9-]{0,61}[a-z0-9])?:"
        r"([1-9][0-9]{0,4}|[a-z]([a-z0-9-]{0,13}[a-z0-9])?)",
        "is no Service of the cluster",
        "write NAMESPACE/NAME:PORT, the port by its number or its name",
    ),
    AfterValidator(_port_of),
]
"""A Service's namespace, name (RFC 1035) and port (an IANA service name, RFC 6335, at most 15
characters)."""

Variable = Annotated[
    str,
    Form(
        r"[A-Za-z_][A-Za-z0-9_]{0,200}",
        "is no name of an environment variable",
        "write letters, digits and underscores, not a digit first",
    ),
]
"""POSIX.1-2017, section 8.1."""

AnnotationKey = Annotated[
    str,
    Form(
        r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "is no key of an annotation",
        "write NAME, or DOMAIN/NAME",
    ),
]
"""Kubernetes' "Annotations", syntax and character set."""

_KERNELS: Final = ("/dev", "/proc", "/sys")


def _of_the_image(folder: str) -> str:
    if folder.startswith(tuple(f"{each}/" for each in _KERNELS)) or folder in _KERNELS:
        raise fault("is the kernel's", "write a folder that the application writes to")
    return folder


Folder = Annotated[
    str,
    AfterValidator(_of_the_image),
    Form(
        r"(/[A-Za-z0-9_][A-Za-z0-9._-]*)+",
        "is no folder of a container",
        "write its whole path, such as /tmp",
    ),
]

_BY_KEY: Final = {
    "kubernetes.io/ingress.class": "write ingress_class, or leave it out for platform.ingress",
    "cert-manager.io/cluster-issuer": "write issuer",
    "cert-manager.io/issuer": "write issuer",
}


def _no_keys_own(annotation: str) -> str:
    if annotation in _BY_KEY:
        raise fault("is said by a key of its own", _BY_KEY[annotation])
    return annotation


ServiceAnnotation = Annotated[AnnotationKey, AfterValidator(_no_keys_own)]
"""Of a service's Ingress: what has a key of its own is said there (of two classes Kubernetes
refuses the object)."""

GIVEN: Final = ("POD_NAME", "POD_IP", "NODE_NAME")
"""Variables that every pod has, of the pod itself."""


def _no_pods_own(variable: str) -> str:
    if variable in GIVEN:
        raise fault("is there in any case, of the pod itself", "leave it out, or call it otherwise")
    return variable


OwnSecret = Annotated[SecretKey, AfterValidator(_no_pods_own)]
"""A variable whose value is secret: those of the pod would hide it."""

FOR_IMAGES: Final = (
    *("port", "replicas", "env", "secrets", "cpu", "memory", "memory_limit", "health_path"),
    *("alive_path", "user", "writable"),
)
"""The keys that are about pods which the program makes."""


class Alert(Strict):
    """How much of a service may fail before somebody is told."""

    availability: Annotated[float, Unit("percent")] = Field(ge=95, le=99.999)
    """Percent of the answers of thirty days that are to be no server error (5xx). What is missing
    to 100 is what may fail: alerts tell when that is used up too fast."""


class PublicService(Strict):
    """One application under names of its own: either an image that the program runs, or a Service
    that is in the cluster already."""

    name: Name
    """What it is called: its Ingress, its route and its alerts, and with `image` its namespace."""
    hosts: list[Domain] = Field(min_length=1, max_length=50)
    """The host names it answers to. Each gets a record where `cdn.zone` has it, and must be of the
    balancers' certificate."""
    path: UrlPrefix = "/"
    """The path with all below it that is its own; others' are of other services under the same
    name. The application sees the whole path."""
    image: ImageName | None = None
    """What is run, with a tag or digest that stays. Null: `service` is there already."""
    service: ServiceReference | None = None
    """A Service of the cluster as NAMESPACE/NAME:PORT, such as a chart of `platform.charts` brings.
    Null: the program makes one for `image`."""
    port: Port = 8080
    """Of `image` alone, as all down to `writable`: where the application listens (plain HTTP)."""
    replicas: int = Field(default=2, ge=1, le=1000)
    """Pods, spread over the nodes, of which a drain takes one at a time."""
    env: dict[Variable, Annotated[str, Prose()]] = Field(default_factory=dict, max_length=200)
    """Environment variables, in clear. POD_NAME, POD_IP and NODE_NAME are there in any case."""
    secrets: list[OwnSecret] = Field(default_factory=list, max_length=200)
    """Environment variables whose values the secret `platformSecrets` has, each in a line
    `NAME/NAME/VARIABLE=VALUE` with the service's own name twice."""
    cpu: Annotated[int, Unit("thousandths of a core")] = Field(default=50, ge=1, le=64_000)
    """What is kept for each pod."""
    memory: Annotated[int, Unit("MiB")] = Field(default=64, ge=4, le=262_144)
    """What is kept for each pod."""
    memory_limit: Annotated[int, Unit("MiB")] | None = Field(default=None, ge=4, le=262_144)
    """With more a pod is killed. Null: no limit but the node's."""
    health_path: UrlPath | None = None
    """What a new pod must answer with a status below 400 to get requests. Null: it takes
    connections."""
    alive_path: UrlPath | None = None
    """What a pod must go on answering, or it is started anew. Null: nobody asks."""
    user: int | None = Field(default=None, ge=1, le=4_294_967_294)
    """The user and group that it runs as. Null: the image's own, by number and not root."""
    writable: list[Folder] = Field(default_factory=list, max_length=20)
    """Folders that it may write to, empty with each new pod; nothing else of the image is."""
    issuer: Name | None = None
    """Who signs the certificate that the ingress shows for it: of platform.cert_manager.issuers.
    Null: the ingress' own self-made one, which the balancers do not verify. Visitors see the
    balancers' in any case."""
    annotations: dict[ServiceAnnotation, Annotated[str, Prose()]] = Field(
        default_factory=dict, max_length=50
    )
    """Further ones of its Ingress, for what its ingress controller is to do otherwise."""
    ingress_class: Name | None = None
    """Another ingress controller's class, which serves it in place of `platform.ingress`; with
    `node_port`."""
    node_port: NodePort | None = None
    """Where that one takes plain HTTP on each node, without a PROXY header."""
    alert: Alert | None = None
    """When somebody is told of its errors, by `platform.monitoring`. Null: of the balancers' as a
    whole only."""

    @property
    def route(self) -> Route:
        """The balancers' route for it, which counts its answers."""
        below = [] if self.path == "/" else [self.path]
        return Route(name=self.name, hosts=self.hosts, prefixes=below, node_port=self.node_port)

    @property
    def namespace(self) -> str:
        """Where its Ingress is, beside the Service that it leads to."""
        return self.name if self.service is None else self.service.partition("/")[0]

    @property
    def behind(self) -> tuple[str, str]:
        """The Service that its Ingress leads to, and the port by which it names it; of pods that
        the program makes, `http`."""
        name, _, port = (self.service or f"/{self.name}:http").rpartition("/")[2].partition(":")
        return name, port

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        return [f"{self.name}/{self.name}/{key}" for key in self.secrets]

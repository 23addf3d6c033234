"""The whole chain on one screen: each layer takes what it needs from the one before.

client -> CDN -> routers -> balancers -> cluster -> ingress -> pods
"""

import pulumi

from components.cdn import CdnRanges, CdnRecords, Certificate, cloudflare_provider
from components.cluster import ApiEndpoint, Cluster, ClusterArgs
from components.host import Baseline, BaselineArgs, Machine, repositories
from components.inventory import inventory
from components.loadbalancers import (
    BalancersBase,
    BalancersBaseArgs,
    BalancersRoutes,
    BalancersRoutesArgs,
)
from components.machines import DeployKey, Machines, MachinesArgs, planned, proxmox_provider
from components.platform import Platform, PlatformArgs
from components.routers import Routers, RoutersArgs
from settings.loader import load

stack, secrets = load()
networks, epoch = stack.networks, str(stack.access.epoch)
gateway = stack.routers.vips[0].lan[0]
front = stack.balancers.vips[0]
api = ApiEndpoint(lan=front.lan[0], management=front.management[0], port=stack.balancers.api_port)


def after(*before: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=list(before))


# The CDN: who may call, and the certificate it meets.
cloudflare = cloudflare_provider(
    "cloudflare", cdn=stack.cdn, api_token=secrets.cloudflare_api_token
)
cdn = CdnRanges("cdn-ranges", cdn=stack.cdn, provider=cloudflare)
certificate = Certificate(
    "certificate",
    settings=stack.balancers.certificate,
    given_chain=secrets.tls_certificate,
    given_key=secrets.tls_key,
    provider=cloudflare,
)

# The machines, none before Proxmox has everything they need.
proxmox = proxmox_provider(
    "proxmox",
    proxmox=stack.proxmox,
    networks=networks,
    planned=planned(stack.machines()),
    api_token=secrets.proxmox_api_token,
    ssh_private_key=secrets.proxmox_ssh_key,
)
machines = Machines(
    "machines",
    MachinesArgs(
        environment=stack.environment,
        networks=networks,
        proxmox=stack.proxmox,
        machines=list(stack.machines()),
        lan_gateway=gateway,
        deploy_key=DeployKey.of(secrets.deploy_key),
    ),
    pulumi.ResourceOptions(providers=[proxmox]),
)


def of(*roles: str) -> list[Machine]:
    return [machine for machine in machines.machines.values() if machine.role in roles]


def baselines(*roles: str, behind: list[pulumi.Resource]) -> list[pulumi.Resource]:
    return [
        Baseline(
            f"{machine.name}-baseline",
            BaselineArgs(
                machine=machine,
                authorized_keys=(machines.deploy_key.public_key, *stack.access.authorized_keys),
                repositories=repositories(stack.software.repositories),
                resolvers=tuple(map(str, networks.resolvers)),
                domain=networks.domain,
                ntp_servers=tuple(networks.ntp),
                hosts={each.name: str(each.address("lan")) for each in of(*roles)},
                journal_mebibytes=stack.access.journald_max_mebibytes,
                automatic_upgrades=stack.access.unattended_upgrades,
                install_packages=stack.access.baseline_packages,
                epoch=epoch,
            ),
            after(*behind),
        )
        for machine in of(*roles)
    ]


# The routers first: everything behind them reaches package repositories through them.
routers = Routers(
    "routers",
    RoutersArgs(
        machines=of("router"),
        settings=stack.routers,
        networks=networks,
        balancers=front.lan,
        cdn_ranges=cdn.ranges,
        epoch=epoch,
    ),
    after(*baselines("router", behind=[])),
)
base = BalancersBase(
    "balancers",
    BalancersBaseArgs(
        machines=of("balancer"),
        control_planes=of("control_plane"),
        settings=stack.balancers,
        epoch=epoch,
    ),
    after(*baselines("balancer", behind=[routers])),
)
cluster = Cluster(
    "cluster",
    ClusterArgs(
        cluster=stack.cluster,
        networks=networks,
        software=stack.software,
        control_planes=of("control_plane"),
        workers=of("worker"),
        api=api,
        epoch=epoch,
    ),
    after(base, *baselines("control_plane", "worker", behind=[routers])),
)
platform = Platform(
    "platform",
    PlatformArgs(
        settings=stack.platform,
        networks=networks,
        kubeconfig=cluster.kubeconfig,
        cluster_identifier=f"{stack.environment}-{stack.cluster.name}",
        api_host=api.lan,
        api_port=api.port,
        control_plane=of("control_plane")[0],
        lan_interface=of("control_plane")[0].interfaces["lan"],
        node_count=len(cluster.nodes),
        control_planes_work=stack.cluster.schedule_on_control_planes,
        trusted=[machine.address("lan") for machine in of("balancer")],
    ),
    after(cluster),
)
routes = BalancersRoutes(
    "routes",
    BalancersRoutesArgs(
        machines=of("balancer"),
        nodes=cluster.ingress_machines,
        settings=stack.balancers,
        cdn_ranges=cdn.ranges,
        client_ip_header=stack.cdn.client_ip_header,
        http_port=platform.ports.http,
        https_port=platform.ports.https,
        health_port=platform.ports.health,
        load_balancer_ip=platform.ports.load_balancer_ip,
        certificate=certificate.chain,
        key=certificate.key,
        epoch=epoch,
    ),
    after(platform),
)
records = CdnRecords(
    "cdn-records",
    cdn=stack.cdn,
    origins=[vip for group in stack.routers.vips for vip in group.wan],
    provider=cloudflare,
    opts=after(routes),
)

pulumi.export(
    "vips",
    {
        "public": routers.public_vips,
        "lan_gateway": routers.lan_gateways,
        "lan": base.lan_vips,
        "management": base.management_vips,
    },
)
pulumi.export(
    "node_ports",
    {
        "http": platform.ports.http,
        "https": platform.ports.https,
        "health": platform.ports.health,
    },
)
pulumi.export("load_balancer_ip", platform.ports.load_balancer_ip)
pulumi.export(
    "api_endpoints", {"lan": base.api_endpoint, "management": base.api_management_endpoint}
)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("deploy_key", pulumi.Output.secret(machines.deploy_key.private_key))
pulumi.export("certificate_authority", certificate.authority)
pulumi.export("urls", records.names.apply(lambda names: [f"https://{name}/" for name in names]))
pulumi.export("inventory", inventory(machines.machines.values()))

"""The whole chain on one screen: each layer takes what it needs from the one before.

client -> CDN -> routers -> balancers -> cluster -> ingress -> pods
"""

import asyncio
from functools import partial

import pulumi

from components.cdn import Cdn, Certificate, CertificateArgs
from components.cluster import (
    Cluster,
    ClusterArgs,
    Founding,
    FoundingArgs,
    Maintenance,
    MaintenanceArgs,
)
from components.host import baselines, exporters, ordinary
from components.host.bgp import peering
from components.inventory import inventory
from components.loadbalancers import (
    BalancersBase,
    BalancersBaseArgs,
    BalancersRoutes,
    BalancersRoutesArgs,
    api_endpoint,
)
from components.machines import (
    DeployKey,
    Machines,
    MachinesArgs,
    Restarts,
    RestartsArgs,
    proxmox_provider,
)
from components.platform import Platform, PlatformArgs
from components.routers import Routers, RoutersArgs, start, with_baseline
from settings.loader import load

stack, secrets = load()
vips = {"router": stack.routers.every_vip, "balancer": stack.balancers.every_vip}
networks, specs, epoch = stack.networks, list(stack.machines()), str(stack.access.epoch)
maintenance = stack.maintenance.machines


def after(*before: pulumi.Input[pulumi.Resource]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=list(before))


# The CDN: who may call, and the certificate it meets.
cdn = Cdn("cdn", settings=stack.published, secrets=secrets, ipv6=networks.ipv6)
certificate = Certificate(
    "certificate",
    CertificateArgs(
        settings=stack.balancers.certificate,
        given_chain=secrets.tls_certificate,
        given_key=secrets.tls_key,
        cdn=cdn.kind,
    ),
)

# What a cluster keeps for life, asked before any machine is touched.
founding = Founding(
    "founding",
    FoundingArgs(cluster=stack.cluster, networks=networks, api=api_endpoint(stack.balancers)),
)

# The machines, none before Proxmox has everything they need.
proxmox = proxmox_provider(
    "proxmox",
    proxmox=stack.proxmox,
    networks=networks,
    machines=specs,
    api_token=founding.first(secrets.proxmox_api_token),
    ssh_private_key=secrets.proxmox_ssh_key,
)
machines = Machines(
    "machines",
    MachinesArgs(
        environment=stack.environment,
        networks=networks,
        proxmox=stack.proxmox,
        machines=specs,
        physical=list(stack.physical()),
        lan_gateway=stack.routers.gateway,
        lan_gateway6=stack.routers.gateway6,
        deploy_key=DeployKey.of(secrets.deploy_key),
        deploy_key_before=DeployKey.of(secrets.deploy_key_before),
        starts={
            "router": start(stack.routers),
            "balancer": ordinary(stack.balancers.image),
            "control_plane": ordinary(stack.cluster.image),
            "worker": ordinary(stack.cluster.image),
        },
        volume_roles=stack.volume_roles,
    ),
    pulumi.ResourceOptions(providers=[proxmox]),
)
balancers = machines.of("balancer")
control_planes, workers = machines.of("control_plane"), machines.of("worker")
baseline = partial(
    baselines,
    access=stack.access,
    networks=networks,
    software=stack.software,
    deploy_key=machines.deploy_key.public_key,
    readers=[] if stack.platform.monitoring is None else [*control_planes, *workers],
)

# The routers first: everything behind them reaches package repositories through them.
routed = with_baseline(stack.routers, machines.of("router"))
on_routers = baseline(routed, collector=stack.collector)
sessions = peering(
    stack.routers,
    networks,
    pool=stack.platform.metallb.pool,
    routers=machines.of("router"),
    nodes=[*control_planes, *workers],
    maintenance=maintenance,
    balancers=balancers,
    service=stack.balancers.service_vips,
    figures=stack.access.node_exporter,
)
routers = Routers(
    "routers",
    RoutersArgs(
        machines=machines.of("router"),
        settings=stack.routers,
        networks=networks,
        balancers=stack.balancers.service_vips,
        balancers6=stack.balancers.lan6_vips,
        cdn_ranges=cdn.ranges,
        open_ports=[port for each in on_routers for port in each.ports],
        neighbours=[*balancers, *control_planes],
        peering=sessions,
        bgp_passwords=secrets.bgp_passwords,
        maintenance=maintenance,
        epoch=epoch,
    ),
    after(*on_routers),
)
on_balancers = baseline(balancers, behind=[routers], collector=stack.collector)
base = BalancersBase(
    "balancers",
    BalancersBaseArgs(
        machines=balancers,
        control_planes=control_planes,
        settings=stack.collected_balancers,
        source_routes=routers.source_routes,
        neighbours=machines.of("router"),
        maintenance=maintenance,
        services=stack.service_routes,
        peering=sessions,
        bgp_passwords=secrets.bgp_passwords,
        epoch=epoch,
    ),
    after(*on_balancers),
)
on_nodes = baseline([*control_planes, *workers], behind=[routers])
everywhere = (*on_routers, *on_balancers, *on_nodes)
cluster = Cluster(
    "cluster",
    ClusterArgs(
        cluster=stack.cluster,
        networks=networks,
        software=stack.software,
        control_planes=control_planes,
        workers=workers,
        api=base.api,
        answering=[base],
        backup_ssh_key=secrets.backup_ssh_key,
        backup_key=secrets.backup_key,
        region=stack.region,
        epoch=epoch,
    ),
    after(*on_nodes),
)
founding.made(cluster.kubeconfig, cluster.release)
platform = Platform(
    "platform",
    PlatformArgs(
        settings=stack.platform,
        networks=networks,
        kubeconfig=cluster.kubeconfig,
        cluster_identity=cluster.identity,
        api=base.api,
        control_plane=cluster.control_plane,
        node_count=len(cluster.nodes),
        control_planes_work=stack.cluster.schedule_on_control_planes,
        trusted=base.senders,
        peering=sessions,
        bgp_passwords=secrets.bgp_passwords,
        secrets=secrets.platform_secrets,
        targets=[*base.targets, *(target for each in everywhere for target in each.targets)],
        vips=vips,
        services=stack.services,
        senders={each.name: each.address("lan") for each in (*routed, *balancers)},
        backed_up=stack.cluster.backups is not None,
        epoch=epoch,
    ),
    after(cluster),
)
routes = BalancersRoutes(
    "routes",
    BalancersRoutesArgs(
        machines=balancers,
        nodes=cluster.ingress_machines,
        settings=stack.collected_balancers,
        services=stack.service_routes,
        cdn_ranges=cdn.ranges,
        client_ip_header=cdn.client_ip_header,
        http_port=platform.ports.http,
        https_port=platform.ports.https,
        load_balancer_ip=platform.ports.load_balancer_ip,
        certificate=certificate.chain,
        key=certificate.key,
        further=secrets.tls_further,
        acme_token=secrets.acme_dns_token,
        authorities=cdn.authorities,
        certificate_required=cdn.certificate_required,
        maintenance=maintenance,
        epoch=epoch,
    ),
    after(platform.there),
)
# No pod leaves a node before the balancers lead nothing to it any more.
drained = []
if away := [each for each in (*control_planes, *workers) if each.name in maintenance]:
    drained += [
        Maintenance(
            "maintenance",
            MaintenanceArgs(
                machines=away,
                control_plane=cluster.control_plane,
                drain_seconds=stack.cluster.drain_seconds,
                epoch=epoch,
            ),
            after(routes),
        )
    ]
# Who is out of use by now is restarted, if something waits for that.
if waiting := machines.served(maintenance):
    Restarts(
        "restarts",
        RestartsArgs(
            machines=waiting, proxmox=stack.proxmox, api_token=secrets.proxmox_api_token, vips=vips
        ),
        after(routes, *drained),
    )
records = cdn.records(routers.origins, after(routes))
platform.comes_after(routes, records)

outputs = {
    "vips": {
        "public": routers.public_vips,
        "lan_gateway": routers.lan_gateways,
        "lan": base.lan_vips,
        "management": base.management_vips,
    },
    "node_ports": {
        "http": platform.ports.http,
        "https": platform.ports.https,
        "health": platform.ports.health,
    },
    "load_balancer_ip": platform.ports.load_balancer_ip,
    "api_endpoints": {"lan": base.api_endpoint, "management": base.api_management_endpoint},
    "owners": {"routers": routers.owners, "balancers": base.owners},
    "forwarded_ports": routers.public_ports,
    "exporters": exporters.gathered([base.exporters, *(each.exporters for each in everywhere)]),
    "kubeconfig": cluster.kubeconfig,
    "deploy_key": pulumi.Output.secret(machines.deploy_key.private_key),
    "certificate_authority": certificate.authority,
    "urls": records.urls,
    "inventory": inventory(machines.machines.values()),
}


async def registering() -> pulumi.Inputs:
    """The stack's outputs, once every resource above has begun to register.

    The SDK then waits for each registration by itself. Where none has begun it looks through all
    outstanding values again whenever one is there, so that the time of a preview grows with the
    square of the stack (`wait_for_rpcs` in pulumi/runtime/stack.py of 3.272).
    """
    await asyncio.sleep(0)
    return outputs


pulumi.run(registering)

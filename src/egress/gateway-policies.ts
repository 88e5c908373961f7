import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import * as security from '../../imports/security.istio.io';
import { nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { MeshObject } from '../mesh/mesh-object';
import type { EgressGatewayBase } from './egress-gateway';
import { ExternalPort } from './external-port';
import { ForwardedWildcard, hostsWithoutPort } from './forward-proxy';
import { ServerClaim, SubsetClaim } from './gateway-claims';
import { KeptChildren } from './kept-children';
import { connectionRule, originationRule } from './origination-rule';
import { authorization, forwardedAdmission, selfAdmission } from './policy-authorization';
import {
  CallerGroup,
  HTTP_SUBSET,
  NO_ADDRESS,
  SAFE_RETRIES,
  callerGroups,
  callerRoutes,
  carrierHost,
  carrierPorts,
  groupName,
} from './policy-callers';
import { gatewayGrantProblems } from './policy-conflicts';
import { carrierSpec, clientEntrySpec } from './policy-entries';
import { Grant, grouped, upstreamOf, whereOf } from './policy-grant';
import { UpstreamParts, limitedRoute } from './upstream-filter';
import { routeSettings, trafficPolicy } from './upstream-settings';
import { HostPlan, HostWay, OpaqueHop, OpaquePort, hostPlan, innerPorts } from './policy-host';

/**
 * All that the policies of one gateway come to, taken together: policies add grants, and these objects follow from the sum, whatever
 * the order in which the policies were made.
 *
 * The ServiceEntry of a host is shown to the gateway alone. A namespace's sidecars get one VirtualService for all hosts that its workloads
 * reach in the same way, and a carrier, a ServiceEntry of no host that exists, for it to hang on.
 */
export class GatewayPolicies extends Construct {
  private readonly byHost = new Map<string, Grant[]>();
  private readonly byNamespace = new Map<string, Grant[]>();
  private readonly plans = new Map<string, HostPlan>();
  private readonly groups = new Map<string, CallerGroup[]>();
  private readonly children = new KeptChildren(this);
  private tlsHops?: ReadonlyMap<string, TlsHop>;

  public constructor(private readonly gateway: EgressGatewayBase) {
    super(gateway, 'Policies');
    refuseAtSynth(this, () => gatewayGrantProblems(gateway, this.grants));
  }

  /** Every grant, in the order of their hosts' first mention. */
  public get grants(): Grant[] {
    return [...this.byHost.values()].flat();
  }

  /** The namespaces that may call. */
  public get namespaces(): string[] {
    return [...this.byNamespace.keys()].sort();
  }

  /** Adds what a policy allows. */
  public add(grants: readonly Grant[]): void {
    for (const grant of grants) {
      push(this.byHost, grant.host, grant);
      push(this.byNamespace, grant.from.namespace, grant);
      this.plans.delete(grant.host);
    }
    this.tlsHops = undefined;
    const hosts = new Set(grants.map(({ host }) => host));
    hosts.forEach((host) => this.atGateway(host));
    this.insideGateway();
    // A host's plan is every namespace's business that calls it, since a second way gives the first another name.
    const touched = new Set(
      [...hosts].flatMap((host) => (this.byHost.get(host) ?? []).map(({ from }) => from.namespace)),
    );
    touched.forEach((namespace) => this.inNamespace(namespace));
  }

  public serverClaims(): ServerClaim[] {
    const inner = this.hops();
    const { configNamespace } = this.gateway;
    return this.claims<ServerClaim>(
      ({ by, port }) => [{ by, port, protocol: 'HTTPS', tls: 'ISTIO_MUTUAL', hosts: [`${configNamespace}/*`] }],
      ({ by, port, hop }) => {
        const outer: ServerClaim = {
          by,
          port,
          protocol: 'TLS',
          tls: 'ISTIO_MUTUAL',
          hosts: [hop.sni],
          apart: hop.name,
        };
        const own = inner.get(hop.name)?.innerPort;
        if (own === undefined) return [outer];
        const hosts = [`${configNamespace}/*`];
        return [outer, { by, port: own, protocol: 'TLS', tls: 'PASSTHROUGH', hosts, bind: '127.0.0.1' }];
      },
    );
  }

  /** The wildcards whose names the gateway is to resolve itself. */
  public forwardedWildcards(): ForwardedWildcard[] {
    return [...this.byHost]
      .filter(([, [{ service }]]) => service.resolution._isForwardProxy)
      .flatMap(([host]) => {
        const { http, httpPort, opaque } = this.planOf(host);
        const tls = opaque
          .filter(({ grants: [{ tunnel }] }) => !tunnel)
          .map(({ port }) => ({ host, port: port.number, dialled: port.targetPort ?? port.number }));
        return http.length ? [{ host, port: httpPort!.number }, ...tls] : tls;
      });
  }

  /** What is rendered for some of the grants, and for others with them. */
  public objectsFor(grants: readonly Grant[]): ApiObject[] {
    const isTls = grants.some(({ port }) => port.isTls);
    return this.children.of([
      ...grants.flatMap(({ host, from }) => [`host ${host}`, `namespace ${from.namespace}`]),
      ...(isTls ? ['inside'] : []),
    ]);
  }

  /** What the gateway's EnvoyFilter is to do. */
  public upstreamParts(): UpstreamParts {
    const hosts = [...this.byHost].map(([host, grants]) => ({ host, plan: this.planOf(host), ...upstreamOf(grants) }));
    return {
      routes: hosts.flatMap(({ host, plan, rateLimit }) =>
        rateLimit && plan.http.length ? [{ route: limitedRoute(host), limit: rateLimit }] : [],
      ),
      clusters: hosts.flatMap(({ host, plan, tls }) =>
        plan.http.flatMap(({ subset }) => (tls ? [{ host, port: plan.httpPort!.number, subset, versions: tls }] : [])),
      ),
    };
  }

  public subsetClaims(): SubsetClaim[] {
    return this.claims(
      ({ by, port }) => [{ by, port, subset: HTTP_SUBSET, mutualTlsSni: this.gateway.host }],
      ({ by, port, hop }) => [{ by, port, subset: hop.name, mutualTlsSni: hop.sni }],
    );
  }

  /** What is claimed of the gateway, once for each hop and port of the gateway. */
  private claims<T>(http: (claim: Claim) => T[], opaque: (claim: Claim & { hop: OpaqueHop }) => T[]): T[] {
    const claims = new Map<string, T[]>();
    for (const host of this.byHost.keys()) {
      const plan = this.planOf(host);
      for (const grant of plan.http.flatMap(({ grants }) => grants)) {
        const claim = { by: whereOf(grant), port: grant.gatewayPort };
        if (!claims.has(`http ${claim.port}`)) claims.set(`http ${claim.port}`, http(claim));
      }
      for (const { hop, grants } of plan.opaque) {
        for (const grant of grants) {
          const claim = { by: whereOf(grant), port: grant.gatewayPort, hop };
          const key = `${hop.name} ${claim.port}`;
          if (!claims.has(key)) claims.set(key, opaque(claim));
        }
      }
    }
    return [...claims.values()].flat();
  }

  /** The TLS hops of the gateway, and the ports on which it takes what was inside them. */
  private hops(): ReadonlyMap<string, TlsHop> {
    if (this.tlsHops) return this.tlsHops;
    const tls = [...this.byHost.keys()].flatMap((host) => this.planOf(host).opaque.filter(({ port }) => port.isTls));
    const byName = grouped(tls, ({ hop }) => hop.name);
    const ports = innerPorts(byName.keys());
    this.tlsHops = new Map(
      [...ports].map(([name, innerPort]) => {
        const some = byName.get(name)!;
        return [name, { sni: some[0].hop.sni, innerPort, grants: some.flatMap(({ grants }) => grants) }];
      }),
    );
    return this.tlsHops;
  }

  private planOf = (host: string): HostPlan => {
    const plan = this.plans.get(host) ?? hostPlan(host, this.byHost.get(host) ?? []);
    this.plans.set(host, plan);
    return plan;
  };

  /** The second hop of a host. */
  private atGateway(host: string): void {
    const plan = this.planOf(host);
    const name = nameOfHost(host);
    const { configNamespace } = this.gateway;
    const wanted = new Map<string, () => ApiObject>();
    const route = (id: string, objectName: string, spec: () => networking.VirtualServiceSpec) =>
      wanted.set(id, () =>
        this.virtualService(id, `${objectName}-through-${this.gateway.gateway.name}`, configNamespace, spec),
      );
    for (const way of plan.http) {
      const suffix = way.subset === undefined ? name : `${name}-${way.subset}`;
      route(`Route-${suffix}`, suffix, () => this.httpRoute(host, way));
    }
    for (const { port } of plan.opaque) {
      const suffix = `${name}-${port.number}`;
      const spec = port.isTls ? this.innerRoute : this.tcpRoute;
      route(`Route-${suffix}`, suffix, () => spec(host, opaquePort(this.planOf(host), port.number)));
      if (port.isTcp) wanted.set(`Clients-${name}`, () => this.clientEntry(`Clients-${name}`, host));
    }
    if (plan.http.some(({ way }) => way?._originates)) {
      wanted.set(`Originate-${name}`, () => this.origination(`Originate-${name}`, host));
    } else if (trafficPolicy(upstreamOf(this.byHost.get(host)!))) {
      wanted.set(`Connections-${name}`, () => this.connections(`Connections-${name}`, host));
    }
    this.children.keep(`host ${host}`, wanted);
  }

  /** What hands TLS from the hop that carried it to the gateway's own port, where its SNI is read. */
  private insideGateway(): void {
    const wanted = new Map<string, () => ApiObject>();
    const { configNamespace, gateway } = this.gateway;
    for (const name of this.hops().keys()) {
      wanted.set(`Hop-${name}`, () =>
        this.virtualService(`Hop-${name}`, `${name}-into-${gateway.name}`, configNamespace, () => this.hopRoute(name)),
      );
    }
    if (wanted.size) {
      wanted.set('Inner', () => this.innerEntry());
      wanted.set('AdmitItself', () => this.selfAdmission());
    }
    this.children.keep('inside', wanted);
  }

  /** What one namespace's sidecars get, and what the gateway admits from it. */
  private inNamespace(namespace: string): void {
    const grants = () => this.byNamespace.get(namespace) ?? [];
    const groups = callerGroups(namespace, grants(), this.planOf);
    this.groups.set(namespace, groups);
    const wanted = new Map<string, () => ApiObject>();
    const { configNamespace, gateway, host } = this.gateway;
    const exportTo = Audience._exportOnlyTo(configNamespace, namespace);
    for (const { id } of groups) {
      const current = () => this.groups.get(namespace)!.find((group) => group.id === id)!;
      wanted.set(`From-${namespace}-${id}`, () =>
        this.virtualService(`From-${namespace}-${id}`, groupName(gateway.name, current()), configNamespace, () =>
          callerRoutes({ host, name: gateway.name }, current(), grants(), this.planOf, exportTo),
        ),
      );
    }
    if (groups.some(({ byAddress }) => !byAddress)) wanted.set(`Carrier-${namespace}`, () => this.carrier(namespace));
    wanted.set(`Admit-${namespace}`, () => this.admission(namespace));
    this.children.keep(`namespace ${namespace}`, wanted);
  }

  private virtualService(
    id: string,
    name: string,
    namespace: string,
    spec: () => networking.VirtualServiceSpec,
  ): ApiObject {
    return new MeshObject(this, id, {
      ...networking.VirtualService.GVK,
      metadata: { name: shorten(name), namespace },
      manifest: networking.VirtualService.manifest,
      spec: () => ({ spec: spec() }),
    });
  }

  private httpRoute(host: string, { authority, subset }: HostWay): networking.VirtualServiceSpec {
    const plan = this.planOf(host);
    return {
      hosts: [authority],
      gateways: [this.gateway.reference],
      exportTo: this.gatewayOnly(),
      http: [
        {
          match: gatewayPorts(plan.http.flatMap(({ grants }) => grants)).map((match) => ({
            ...match,
            ...hostsWithoutPort(this.byHost.get(host)![0].service),
          })),
          retries: SAFE_RETRIES,
          ...routeSettings(upstreamOf(this.byHost.get(host)!), host),
          rewrite: authority === host ? undefined : { authority: host },
          route: [{ destination: { host, subset, port: { number: plan.httpPort!.number } } }],
        },
      ],
    };
  }

  private tcpRoute = (host: string, { port, grants, hop }: OpaquePort): networking.VirtualServiceSpec => ({
    hosts: [hop.sni],
    gateways: [this.gateway.reference],
    exportTo: this.gatewayOnly(),
    tcp: [{ match: gatewayPorts(grants), route: [{ destination: leaving(host, port, grants) }] }],
  });

  private innerRoute = (host: string, { port, hop, grants }: OpaquePort): networking.VirtualServiceSpec => ({
    hosts: [host],
    gateways: [this.gateway.reference],
    exportTo: this.gatewayOnly(),
    tls: [
      {
        match: [{ port: this.hops().get(hop.name)!.innerPort, sniHosts: [host] }],
        route: [{ destination: leaving(host, port, grants) }],
      },
    ],
  });

  private hopRoute(name: string): networking.VirtualServiceSpec {
    const { sni, innerPort, grants } = this.hops().get(name)!;
    return {
      hosts: [sni],
      gateways: [this.gateway.reference],
      exportTo: this.gatewayOnly(),
      tcp: [
        {
          match: gatewayPorts(grants),
          route: [{ destination: { host: this.innerHost(), port: { number: innerPort } } }],
        },
      ],
    };
  }

  private innerHost(): string {
    return `${this.gateway.gateway.name}-inner.mesh-edge.invalid`;
  }

  private innerEntry(): ApiObject {
    const { configNamespace, gateway } = this.gateway;
    return new MeshObject(this, 'Inner', {
      ...networking.ServiceEntry.GVK,
      metadata: { name: shorten(`${gateway.name}-inner`), namespace: configNamespace, labels: NO_ADDRESS },
      manifest: networking.ServiceEntry.manifest,
      spec: () => ({
        spec: {
          hosts: [this.innerHost()],
          ports: [...this.hops()].map(([name, { innerPort }]) => ({ number: innerPort, name, protocol: 'TLS' })),
          location: networking.ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
          resolution: networking.ServiceEntrySpecResolution.STATIC,
          endpoints: [{ address: '127.0.0.1' }],
          exportTo: this.gatewayOnly(),
        },
      }),
    });
  }

  /** Keeps the gateway open, for whoever calls, to what is forwarded by hand. */
  public admitForwarded(): void {
    this.children.keep(
      'forwarded',
      new Map([
        [
          'AdmitForwarded',
          () =>
            this.authorizationPolicy('AdmitForwarded', `${this.gateway.gateway.name}-forwarded`, () =>
              forwardedAdmission(this.gateway._forwarded()),
            ),
        ],
      ]),
    );
  }

  private selfAdmission(): ApiObject {
    return this.authorizationPolicy('AdmitItself', `${this.gateway.gateway.name}-from-itself`, () =>
      selfAdmission([...this.hops().values()].map(({ innerPort }) => innerPort)),
    );
  }

  private gatewayOnly(): string[] {
    return Audience.ownNamespace()._exportTo(this.gateway.configNamespace, this.gateway.namespace);
  }

  private origination(id: string, host: string): ApiObject {
    return new MeshObject(this, id, {
      ...networking.DestinationRule.GVK,
      metadata: { name: shorten(`originate-tls-for-${nameOfHost(host)}`), namespace: this.gateway.namespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => {
        const plan = this.planOf(host);
        const port = plan.httpPort!.number;
        const names = this.byHost.get(host)![0].service.subjectAltNames;
        const upstream = upstreamOf(this.byHost.get(host)!);
        const rules = plan.http.map(({ way, subset }) =>
          originationRule({ host, port, way: way!, names, subset, exportTo: ['.'], upstream }),
        );
        const subsets = rules.flatMap((rule) => rule.subsets ?? []);
        return { spec: { ...rules[0], subsets: subsets.length ? subsets : undefined } };
      },
    });
  }

  private connections(id: string, host: string): ApiObject {
    return new MeshObject(this, id, {
      ...networking.DestinationRule.GVK,
      metadata: { name: shorten(`connections-to-${nameOfHost(host)}`), namespace: this.gateway.namespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({ spec: connectionRule({ host, upstream: upstreamOf(this.byHost.get(host)!), exportTo: ['.'] }) }),
    });
  }

  /** A host that clients know by address: they see an entry of it that leads nowhere, so that the way to the gateway is the only one. */
  private clientEntry(id: string, host: string): ApiObject {
    const { service } = this.byHost.get(host)![0];
    const labels = service.allocatesAddress ? { 'networking.istio.io/enable-autoallocate-ip': 'true' } : NO_ADDRESS;
    return new MeshObject(this, id, {
      ...networking.ServiceEntry.GVK,
      metadata: { name: shorten(`${nameOfHost(host)}-clients`), namespace: this.gateway.configNamespace, labels },
      manifest: networking.ServiceEntry.manifest,
      spec: () => ({ spec: clientEntrySpec(host, this.byHost.get(host)!, this.gateway.configNamespace) }),
    });
  }

  private carrier(namespace: string): ApiObject {
    const { configNamespace, gateway } = this.gateway;
    return new MeshObject(this, `Carrier-${namespace}`, {
      ...networking.ServiceEntry.GVK,
      metadata: { name: shorten(`${gateway.name}-from-${namespace}`), namespace: configNamespace, labels: NO_ADDRESS },
      manifest: networking.ServiceEntry.manifest,
      spec: () => {
        const groups = this.groups.get(namespace)!.filter(({ byAddress }) => !byAddress);
        const ports = carrierPorts(this.byNamespace.get(namespace)!, groups);
        const hosts = groups.map((group) => carrierHost(gateway.name, group));
        return { spec: carrierSpec(hosts, ports, Audience._exportOnlyTo(configNamespace, namespace)) };
      },
    });
  }

  private admission(namespace: string): ApiObject {
    return this.authorizationPolicy(`Admit-${namespace}`, `${this.gateway.gateway.name}-from-${namespace}`, () =>
      authorization(this.byNamespace.get(namespace) ?? [], this.planOf),
    );
  }

  private authorizationPolicy(
    id: string,
    name: string,
    rules: () => security.AuthorizationPolicySpecRules[],
  ): ApiObject {
    return new MeshObject(this, id, {
      ...security.AuthorizationPolicy.GVK,
      metadata: { name: shorten(name), namespace: this.gateway.namespace },
      manifest: security.AuthorizationPolicy.manifest,
      spec: () => ({
        spec: {
          selector: { matchLabels: this.gateway.selector },
          action: security.AuthorizationPolicySpecAction.ALLOW,
          rules: rules(),
        },
      }),
    });
  }
}

/** A hop that carries TLS of applications, and where the gateway reads what was inside. */
interface TlsHop {
  readonly sni: string;
  readonly innerPort: number;
  readonly grants: readonly Grant[];
}

interface Claim {
  readonly by: string;
  readonly port: number;
}

/** Where the gateway sends what it does not read. All grants of a host and port agree on it. */
function leaving(
  host: string,
  { number }: ExternalPort,
  [{ tunnel }]: readonly Grant[],
): networking.VirtualServiceSpecTcpRouteDestination {
  return tunnel?._destination(host, number) ?? { host, port: { number } };
}

function gatewayPorts(grants: readonly Grant[]): Array<{ port: number }> {
  const ports = new Set(grants.map(({ gatewayPort }) => gatewayPort));
  return [...ports].sort((a, b) => a - b).map((port) => ({ port }));
}

function opaquePort(plan: HostPlan, number: number): OpaquePort {
  return plan.opaque.find(({ port }) => port.number === number)!;
}

function push(map: Map<string, Grant[]>, key: string, grant: Grant): void {
  const grants = map.get(key);
  if (grants) grants.push(grant);
  else map.set(key, [grant]);
}

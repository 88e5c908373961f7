import { ApiObject } from 'cdk8s';
import type * as k8s from '../../imports/k8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import * as security from '../../imports/security.istio.io';
import { isWildcard, nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { Problem, quote } from '../core/problem';
import { coreBindings } from '../mesh/core-bindings';
import { meshMembers } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import type { MeshRoute } from './egress-route-overlap';
import type { EgressTrafficPolicy } from './egress-traffic-policy';
import type { IEgressWaypoint } from './egress-waypoint';
import { IExternalService } from './external-service';
import { originationRule } from './origination-rule';
import { authorities } from './policy-callers';
import { grouped, sourceOf, wayKey, wayWords, whereOf } from './policy-grant';
import { WaypointGrant } from './waypoint-grant';

/**
 * All that the policies of one waypoint come to, taken together: an AuthorizationPolicy for each service, beside its ServiceEntry, and a
 * DestinationRule for each host that the waypoint makes TLS to, beside the waypoint and seen there alone.
 */
export class WaypointPolicies extends Construct {
  private readonly byService = new Map<IExternalService, WaypointGrant[]>();

  public constructor(
    scope: Construct,
    private readonly waypoint: IEgressWaypoint,
  ) {
    super(scope, 'Policies');
  }

  /** Every grant, in the order of their services' first mention. */
  public get grants(): WaypointGrant[] {
    return [...this.byService.values()].flat();
  }

  /** Adds what a policy allows. */
  public add(grants: readonly WaypointGrant[]): void {
    for (const grant of grants) {
      const mine = this.byService.get(grant.service);
      if (mine) mine.push(grant);
      else {
        this.byService.set(grant.service, [grant]);
        this.authorize(grant.service);
      }
      if (grant.way?._originates) this.originate(grant);
    }
  }

  private authorize(service: IExternalService): ApiObject {
    const name = service.serviceEntryName;
    return new MeshObject(this, `Allow-${service.namespace}-${name}`, {
      ...security.AuthorizationPolicy.GVK,
      metadata: { name: shorten(`${this.waypoint.name}-allow-${name}`), namespace: service.namespace },
      manifest: security.AuthorizationPolicy.manifest,
      spec: () => ({
        spec: {
          targetRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name }],
          action: security.AuthorizationPolicySpecAction.ALLOW,
          rules: rulesOf(this.byService.get(service) ?? []),
        },
      }),
    });
  }

  private originate({ service, port, way }: WaypointGrant): void {
    if (way?.credential || way?.tls?.trust?.secretName !== undefined) this.letReadSecrets();
    for (const host of service.hosts) {
      const id = `Tls-${nameOfHost(host)}`;
      if (this.node.tryFindChild(id) || !way) continue;
      const name =
        way.tls?.destinationRule ?? `originate-${way.mode === 'MUTUAL' ? 'mtls' : 'tls'}-for-${nameOfHost(host)}`;
      new MeshObject(this, id, {
        ...networking.DestinationRule.GVK,
        metadata: { name: shorten(name), namespace: this.waypoint.namespace },
        manifest: networking.DestinationRule.manifest,
        spec: () => ({
          spec: originationRule({ host, port: port.number, way, names: service.subjectAltNames, exportTo: ['.'] }),
        }),
      });
    }
  }

  /** istiod hands a waypoint Secrets for a DestinationRule only if its service account may list them. */
  private letReadSecrets(): void {
    if (this.node.tryFindChild('SecretReader')) return;
    const { name, namespace } = this.waypoint;
    const group = 'rbac.authorization.k8s.io';
    const metadata = { name: shorten(`${name}-sds`), namespace };
    new MeshObject<k8s.KubeRoleProps>(this, 'SecretReader', {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata,
      manifest: (fields) => coreBindings().KubeRole.manifest(fields),
      spec: () => ({ rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] }] }),
    });
    new MeshObject<k8s.KubeRoleBindingProps>(this, 'SecretReaderBinding', {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      manifest: (fields) => coreBindings().KubeRoleBinding.manifest(fields),
      spec: () => ({
        roleRef: { apiGroup: group, kind: 'Role', name: metadata.name },
        // istiod names the waypoint's account after it.
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      }),
    });
  }

  /** What the rules of all policies of the waypoint say against each other. */
  public problems(): Problem[] {
    return [...this.byService.entries()].flatMap(([service, grants]) => {
      const http = grants.filter(({ port }) => port.isHttp);
      const [first] = http;
      const other = http.find(({ way }) => wayKey(way) !== wayKey(first?.way));
      const another = http.find(({ port, way }) => way?._originates && port.number !== first?.port.number);
      const problems: Problem[] = [];
      if (other && first)
        problems.push({
          what: `HTTP to ${service.hosts.map(quote).join(', ')} leaves the waypoint ${words(first)} by ${whereOf(first)}, and ${words(other)}${words(first) === words(other) ? ' (with other options)' : ''} by ${whereOf(other)}`,
          why: 'a waypoint has one way for each service, whoever calls',
          fix: 'say the same in both, or declare the service twice under different hosts',
        });
      else if (another && first)
        problems.push({
          what: `TLS is made of HTTP ports ${first.port.number} and ${another.port.number} of ${service.hosts.map(quote).join(', ')}`,
          why: 'the rule that makes it is for one port',
          fix: 'name one of them in `ports`',
        });
      return [...problems, ...this.ledElsewhere(service, grants[0])];
    });
  }

  /** Routes of the mesh are read by waypoints too, and a gateway's policy shows the service to the gateway alone. */
  private ledElsewhere(service: IExternalService, grant: WaypointGrant): Problem[] {
    const routes = meshMembers<MeshRoute>('mesh route', this).filter((route) => route.service === service);
    const policies = meshMembers<EgressTrafficPolicy>('EgressTrafficPolicy', this).filter(({ _permissions }) =>
      _permissions.some((other) => other.service === service),
    );
    return [...routes, ...policies].slice(0, 1).map((other) => ({
      what: `${service.node.path} is led by ${other.node.path}, and through waypoint ${quote(this.waypoint.name)} by ${whereOf(grant)}`,
      why: 'one of them would send to the other, or to a host that it does not see',
      fix: 'keep one of the two',
    }));
  }
}

function words({ way }: WaypointGrant): string {
  return wayWords(way, 'waypoint');
}

interface Right {
  readonly grant: WaypointGrant;
  readonly ports: Set<number>;
}

/**
 * The callers' rights to one service. The ports and the host are named although the policy is for this service alone: else its address, or one
 * port of it, would carry requests for any name.
 */
function rulesOf(grants: readonly WaypointGrant[]): security.AuthorizationPolicySpecRules[] {
  const rights = grouped(grants, (grant) =>
    JSON.stringify([sourceOf(grant), kindOf(grant), grant.methods, grant.paths]),
  );
  return [...rights.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, some]) => ruleOf({ grant: some[0], ports: new Set(some.map(({ port }) => port.number)) }));
}

function kindOf({ port }: WaypointGrant): string {
  return port.isHttp ? 'http' : port.isTls ? 'tls' : 'tcp';
}

function ruleOf({ grant, ports }: Right): security.AuthorizationPolicySpecRules {
  const { service, methods, paths } = grant;
  const kind = kindOf(grant);
  return {
    from: [{ source: sourceOf(grant) }],
    to: [
      {
        operation: {
          hosts: kind === 'http' ? service.hosts.flatMap(authorities).sort() : undefined,
          ports: [...ports].sort((a, b) => a - b).map(String),
          methods: methods.length ? [...methods] : undefined,
          paths: paths.length ? [...paths] : undefined,
        },
      },
    ],
    when: kind === 'tls' ? [{ key: 'connection.sni', values: [...service.hosts].sort() }] : undefined,
  };
}

/** What can't be bound to a waypoint, of one service. */
export function bindingProblems(service: IExternalService): Problem[] {
  const hosts = service.hosts.map(quote).join(', ');
  const problems: Problem[] = [];
  const range = service.addresses.find((address) => /\/(?!32$|128$)/.test(address));
  if (range !== undefined)
    problems.push({
      what: `IP range ${quote(range)} of ${hosts}, through a waypoint`,
      why: 'ztunnel knows services by single addresses, and Istio 1.29 leaves out an entry with a range as a whole',
      fix: 'name single addresses, or hold ranges by NetworkPolicies',
    });
  if (service.resolution.kind === 'NONE' && !service.addresses.length)
    problems.push({
      what: `${hosts} with NONE resolution, through a waypoint`,
      why: 'Istio gives it no address, so ztunnel would dial the host itself, past every policy',
      fix: service.hosts.some(isWildcard)
        ? 'use Resolution.dynamicDns() for the wildcard'
        : 'use Resolution.dns() or Resolution.static(...)',
    });
  if (service.resolution._isForwardProxy)
    problems.push({
      what: `${hosts} with Resolution.dynamicForwardProxy(), through a waypoint`,
      why: 'it is for egress gateways; a waypoint would look for a name that does not exist',
      fix: 'use Resolution.dynamicDns()',
    });
  if (service.resolution.kind === 'DYNAMIC_DNS' && service.ports.some((port) => port.isTls))
    problems.push({
      what: `TLS to any name of ${hosts}, through a waypoint`,
      why: 'Istio 1.29 leaves TLS ports of such entries out, because applications may send any SNI they like',
      fix: 'name the single hosts; HTTP works with the wildcard',
    });
  return problems;
}

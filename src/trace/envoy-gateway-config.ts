/**
 * What Envoy Gateway makes for a port of the proxies of a Gateway, in the shape that istiod's proxies have: one listener, its filter chains, routes by
 * virtual host, and where TCP goes (buildListeners of internal/xds/translator/translator.go).
 */
import { hostnamesAt, type Attachment } from '../model/attachments';
import { chainsAt, servedAt, type Served } from '../model/envoy-gateway-chains';
import { patchPolicy, type EffectivePolicy } from '../model/envoy-gateway-policies';
import type { PolicyFault } from '../model/policy-problems';
import { record, records, text } from '../model/fields';
import { l4Rules } from '../model/gateway-api-rules';
import { isSubsetOf } from '../model/hostnames';
import type { RouteRef } from './refs';
import { DomainIndex, filterChain, type FilterChain, type Listener, type TcpTarget } from './envoy';
import { candidatesAt, type Placed } from './envoy-gateway-candidates';
import { demandsCertificate, faultOfClient, openBefore, pathSettings, policyOf } from './envoy-gateway-listener';
import { attachedAt, clusterNameOf, frontendDecision, listenerDecision, type Proxies } from './envoy-gateway-stage';
import { ofFirstPriority } from './envoy-gateway-shares';
import { decision } from './envoy-gateway-verdict';
import { gap } from './notes';
import { VirtualHost, weighted, type WeightedRoute } from './http-routes';
import type { PathSettings } from './paths';
import { refOf } from './refs';
import type { RouteConfig } from './sidecar-routes';

/** A chain of Envoy Gateway's, and the listeners that it is for: several only of plain HTTP. */
export interface ServedChain extends FilterChain {
  readonly of: readonly Served[];
  readonly policy: EffectivePolicy | undefined;
}

export interface ServedListener extends Listener {
  readonly chains: readonly ServedChain[];
  readonly defaultChain: ServedChain | null;
}

/** Where a TCP proxy of Envoy Gateway's sends. */
export interface StreamTarget extends TcpTarget, Placed {
  readonly clusters: readonly WeightedRoute[];
}

/** Proxies, as far as their listeners go by them. */
type AtGateway = Pick<Proxies, 'mesh' | 'gateway'>;

export function listenerName({ gateway, listener }: Served): string {
  return `${gateway.config.namespace}/${gateway.config.name}/${listener.name}`;
}

/** The listener of a port; without chains where the Gateway serves nothing there. */
export function listenerAt({ mesh, gateway }: AtGateway, port: number): ServedListener {
  return mesh.remember(gateway, `listener ${port}`, () => {
    const served = servedAt(mesh.gatewayApi, gateway, port);
    const plain = served.filter(({ listener }) => listener.protocol === 'HTTP');
    const chains = chainsAt(mesh.gatewayApi, gateway, port).map((chain) =>
      chainOf({ mesh, gateway }, [chain], chain.names),
    );
    const [first] = served;
    const name = first === undefined ? `${gateway.config.namespace}/${gateway.config.name}` : listenerName(first);
    return { name, address: '', port, chains, defaultChain: plain.length > 0 ? chainOf({ mesh, gateway }, plain, []) : null, tlsInspector: true, httpInspector: false, refused: null }; // prettier-ignore
  });
}

/**
 * How paths are treated at a port: as usual where the Gateway serves nothing there, and by the chain that changes them least where there are
 * several, since which of them a connection finds is asked of it.
 */
export function pathSettingsAt(at: AtGateway, port: number): PathSettings {
  const { chains, defaultChain } = listenerAt(at, port);
  const all = [...chains, defaultChain].filter((one) => one !== null);
  const settings = all.map(({ policy }) => pathSettings(policy, at.mesh.config));
  return settings.find(({ mergesSlashes }) => !mergesSlashes) ?? settings[0] ?? pathSettings(undefined, at.mesh.config);
}

function chainOf({ mesh, gateway }: AtGateway, of: readonly Served[], names: readonly string[]): ServedChain {
  const first = of[0]!;
  const { listener } = first;
  const policy = policyOf(mesh, of);
  const readsHttp = listener.protocol === 'HTTP' || listener.protocol === 'HTTPS';
  const isTls = ['HTTPS', 'TLS'].includes(listener.protocol) && listener.tls?.mode !== 'Passthrough';
  const demands = demandsCertificate(policy, listener.frontend);
  const isByPolicy = record(policy?.spec.tls).clientValidation !== undefined;
  const fault = readsHttp ? undefined : faultOfClient(mesh, of);
  const patch = patchPolicy(gateway, mesh);
  const before = patch === undefined ? openBefore(policy) : { why: gap({ kind: 'patch-policy', policy: refOf(patch.manifest) }), by: undefined }; // prettier-ignore
  return {
    ...filterChain({
      name: listenerName(first),
      sniHosts: names,
      routeConfig: readsHttp ? listenerName(first) : null,
      terminates: isTls ? { mode: demands ? 'MUTUAL' : 'SIMPLE', httpsRedirect: false, credentialName: '' } : null,
      decidedBy: of.length > 1 ? [] : [listenerDecision(first)],
      ...(before === undefined ? {} : { openBefore: before }),
      demandedBy: isByPolicy && policy !== undefined ? decision(policy, 'tls.clientValidation') : frontendDecision(gateway, first), // prettier-ignore
      ...(fault === undefined ? {} : { unusable: unusable(fault) }),
    }),
    of,
    policy,
  };
}

function unusable({
  policy,
  field,
  problem: fault,
}: PolicyFault & { readonly policy: EffectivePolicy }): FilterChain['unusable'] {
  const reason = { kind: 'policy-not-usable', policy: refOf(policy.manifest), problem: 'invalid', fault } as const;
  return { code: 'NC', reason, by: decision(policy, field) };
}

/** The routes of a chain by the hosts that are asked for. */
export function routesAt(proxies: Proxies, { name, of }: ServedChain): RouteConfig {
  return proxies.mesh.remember(of, 'routes', () => {
    const domains = new DomainIndex<VirtualHost>();
    const hosts: VirtualHost[] = [];
    for (const [domain, candidates] of candidatesAt(proxies, of).entries) {
      const host = new VirtualHost(`${name}/${domain.replaceAll('.', '_')}`, [domain], candidates, false);
      domains.add(domain, host);
      hosts.push(host);
    }
    return { name, match: (host) => domains.match(host), hosts: () => hosts };
  });
}

/** The routes of TLS that take an SNI, those first whose hostname says the most of it; and routes of TCP. */
function nearest(
  attachments: readonly Attachment[],
  sni: string | null,
): readonly { readonly attachment: Attachment; readonly hosts: readonly string[] }[] {
  const said = (hosts: readonly string[]): number =>
    Math.max(-1, ...hosts.filter((host) => sni !== null && isSubsetOf(sni, host)).map((host) => (host === sni ? Infinity : host.length))); // prettier-ignore
  return attachments
    .filter(({ route }) => route.kind === 'TLSRoute' || route.kind === 'TCPRoute')
    .map((attachment) => {
      const hosts = hostnamesAt(attachment);
      return { attachment, hosts, rank: attachment.route.kind === 'TCPRoute' ? 0 : said(hosts) };
    })
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => (a.rank === b.rank ? 0 : b.rank - a.rank));
}

/** Where the TCP proxy of a chain sends; undefined where no route with backends takes the SNI. */
export function streamTarget({ mesh }: Proxies, chain: ServedChain, sni: string | null): StreamTarget | undefined {
  for (const { attachment, hosts } of nearest(attachedAt({ mesh }, chain.of), sni)) {
    const options = { byEnvoyGateway: true };
    const rule = l4Rules(attachment.route, mesh.gatewayApi.input, mesh.config.clusterDomain, hosts, options)[0];
    if (rule === undefined) continue;
    const name = clusterNameOf(rule.ref);
    const all = weighted(rule.route, (destination) => destination.host);
    const clusters = ofFirstPriority({ mesh }, all).map((one) => ({ ...one, name }));
    if (clusters.length === 0) continue;
    const place = { ...attachment, rule: nameOfRule(attachment, rule.ref) };
    return { clusters, route: rule.ref, ref: rule.ref, tunnel: null, decidedBy: [], place };
  }
  return undefined;
}

/** The name that a rule has itself, by which policies refer to it; empty for none. */
function nameOfRule({ route }: Attachment, { rule }: RouteRef): string {
  return text(record(records(route.config.spec.rules)[Number(/\d+/.exec(rule)?.[0] ?? 0)]).name);
}

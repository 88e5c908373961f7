/** Egress gateways with all that passes them: Gateways, VirtualServices and DestinationRules that `forward` says in a line a host. */
import { canonical } from '../model/canonical';
import { record, records, strings, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { resolveGatewayName } from '../model/virtual-services';
import { expression, literal, type Names, variableName } from './code';
import { liftEntry, type Entry } from './entry';
import type { Lifted } from './lifted';

interface Leg {
  readonly route: Manifest;
  readonly entry: Entry;
  readonly host: string;
  readonly subset: string;
  readonly http:
    { readonly from: number; readonly hopPort: number; readonly to: number; readonly subset: string } | undefined;
  readonly tls: { readonly port: number; readonly hopPort: number } | undefined;
  readonly origination: Manifest | undefined;
  readonly mutual: boolean;
}

/** One gateway with everything that passes it; undefined if any part says what the construct does not. */
export function liftGateways(
  manifests: readonly Manifest[],
  entries: readonly Entry[],
  names: { readonly ids: Names; readonly variables: Names },
): readonly Lifted[] {
  const gateways = manifests.filter((one) => one.kind === 'Gateway' && one.group === 'networking.istio.io');
  const bySelector = new Map<string, Manifest[]>();
  for (const gateway of gateways) {
    const key = canonical(strings(record(gateway.body.spec).selector));
    bySelector.set(key, [...(bySelector.get(key) ?? []), gateway]);
  }
  const lifted: Lifted[] = [];
  for (const group of bySelector.values()) {
    const one = liftGroup(group, manifests, entries, names);
    if (one !== undefined) lifted.push(one);
  }
  return lifted;
}

function liftGroup(
  gateways: readonly Manifest[],
  manifests: readonly Manifest[],
  entries: readonly Entry[],
  names: { readonly ids: Names; readonly variables: Names },
): Lifted | undefined {
  const own = new Set(gateways.map((gateway) => `${gateway.namespace}/${gateway.name}`));
  const routes = manifests.filter(
    (one) =>
      one.kind === 'VirtualService' &&
      texts(record(one.body.spec).gateways).some((name) => own.has(resolveGatewayName(name, one.namespace))),
  );
  const [first] = routes;
  const gateway = gateways[0];
  if (first === undefined || gateway === undefined) return undefined;
  const host = gatewayHost(first);
  const found = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local$/.exec(host);
  const rules = manifests.filter((one) => one.kind === 'DestinationRule' && text(record(one.body.spec).host) === host);
  const subsets = readSubsets(rules);
  if (found === null || subsets === undefined || rules.length === 0) return undefined;
  const [, serviceName = '', namespace = ''] = found;
  const legs: Leg[] = [];
  for (const route of routes) {
    const leg = readLeg(route, host, own, manifests, entries, subsets);
    if (leg === undefined) return undefined;
    legs.push(leg);
  }
  if (
    new Set(legs.map((leg) => leg.subset)).size !== legs.length ||
    new Set(legs.map((leg) => leg.host)).size !== legs.length
  )
    return undefined;
  if (legs.some((leg) => leg.entry.hosts.length > 1)) return undefined;
  if (new Set(legs.flatMap((leg) => (leg.tls === undefined ? [] : [leg.tls.hopPort]))).size > 1) return undefined;
  return write(legs, { gateway, gateways, rules, serviceName, namespace, names });
}

/** The host that the rules for sidecars send to. */
function gatewayHost(route: Manifest): string {
  const spec = record(route.body.spec);
  const rule = [...records(spec.http), ...records(spec.tls)].find((one) =>
    records(one.match).some((match) => texts(match.gateways).includes('mesh')),
  );
  return text(record(records(rule?.route)[0]?.destination).host);
}

/** For each subset whether it is in mutual TLS of the mesh; undefined if rules say more than that. */
function readSubsets(rules: readonly Manifest[]): ReadonlyMap<string, boolean> | undefined {
  const found = new Map<string, boolean>();
  for (const rule of rules) {
    const { host: _host, subsets, exportTo: _exportTo, ...rest } = record(rule.body.spec);
    if (Object.keys(rest).length > 0) return undefined;
    for (const subset of records(subsets)) {
      const { name, trafficPolicy, ...others } = subset;
      if (Object.keys(others).length > 0) return undefined;
      const { tls, portLevelSettings, loadBalancer: _balancer, ...policy } = record(trafficPolicy);
      if (Object.keys(policy).length > 0) return undefined;
      const settings = [record(tls), ...records(portLevelSettings).map((level) => record(level.tls))].filter(
        (one) => Object.keys(one).length > 0,
      );
      if (settings.some((one) => text(one.mode) !== 'ISTIO_MUTUAL')) return undefined;
      found.set(text(name), settings.length > 0);
    }
  }
  return found;
}

interface Rule {
  readonly port: number;
  readonly sniHosts: readonly string[];
  readonly destination: { readonly host: string; readonly port: number; readonly subset: string };
}

/** A rule with one match and one destination, and nothing else. */
function readRule(rule: Json, gateway: string): Rule | undefined {
  const { match, route, ...rest } = rule;
  const [only] = records(match);
  const [way] = records(route);
  if (
    Object.keys(rest).length > 0 ||
    records(match).length !== 1 ||
    records(route).length !== 1 ||
    only === undefined ||
    way === undefined
  )
    return undefined;
  const { gateways, port, sniHosts, ...conditions } = only;
  const { destination, weight, ...extras } = way;
  if (Object.keys(conditions).length > 0 || Object.keys(extras).length > 0 || (weight !== undefined && weight !== 100))
    return undefined;
  if (texts(gateways).length !== 1 || texts(gateways)[0] !== gateway) return undefined;
  const { host, subset, port: target } = record(destination);
  return {
    port: Number(port),
    sniHosts: texts(sniHosts),
    destination: { host: text(host), subset: text(subset), port: Number(record(target).number) },
  };
}

function readLeg(
  route: Manifest,
  gatewayHostName: string,
  gateways: ReadonlySet<string>,
  manifests: readonly Manifest[],
  entries: readonly Entry[],
  subsets: ReadonlyMap<string, boolean>,
): Leg | undefined {
  const { hosts, gateways: bound, http, tls, exportTo: _exportTo, ...rest } = record(route.body.spec);
  const [host] = texts(hosts);
  const entry = entries.find((one) => one.hosts.includes(host ?? '') && one.manifest.namespace === route.namespace);
  const named = texts(bound).find((name) => name !== 'mesh');
  if (host === undefined || entry === undefined || named === undefined || Object.keys(rest).length > 0)
    return undefined;
  if (
    texts(hosts).length !== 1 ||
    texts(bound).length !== 2 ||
    !texts(bound).includes('mesh') ||
    !gateways.has(resolveGatewayName(named, route.namespace))
  )
    return undefined;
  const pair = (rules: unknown): readonly [Rule, Rule] | 'none' | 'other' => {
    if (records(rules).length === 0) return 'none';
    const [a, b] = records(rules).map((rule) => readRule(rule, 'mesh') ?? readRule(rule, named));
    const isPair =
      records(rules).length === 2 &&
      a !== undefined &&
      b !== undefined &&
      a.destination.host === gatewayHostName &&
      b.destination.host === host;
    return isPair ? [a, b] : 'other';
  };
  const [plain, secure] = [pair(http), pair(tls)];
  if (plain === 'other' || secure === 'other' || (plain === 'none' && secure === 'none')) return undefined;
  const hops = [plain, secure].flatMap((one) => (one === 'none' ? [] : [one[0]]));
  const subset = hops[0]?.destination.subset ?? '';
  if (subset === '' || !subsets.has(subset) || hops.some((hop) => hop.destination.subset !== subset)) return undefined;
  if (
    secure !== 'none' &&
    (secure[0].sniHosts.join() !== host ||
      secure[1].destination.port !== secure[0].port ||
      secure[1].destination.subset !== '')
  )
    return undefined;
  if (secure !== 'none' && subsets.get(subset) === true) return undefined;
  const origination =
    plain !== 'none' && plain[1].destination.port !== plain[0].port
      ? manifests.find((one) => one.kind === 'DestinationRule' && text(record(one.body.spec).host) === host)
      : undefined;
  if (plain !== 'none' && plain[1].destination.port !== plain[0].port && !isSimpleTls(origination, plain[1]))
    return undefined;
  if (plain !== 'none' && plain[1].destination.port === plain[0].port && plain[1].destination.subset !== '')
    return undefined;
  return {
    route,
    entry,
    host,
    subset,
    http:
      plain === 'none'
        ? undefined
        : {
            from: plain[0].port,
            hopPort: plain[0].destination.port,
            to: plain[1].destination.port,
            subset: plain[1].destination.subset,
          },
    tls: secure === 'none' ? undefined : { port: secure[0].port, hopPort: secure[0].destination.port },
    origination,
    mutual: subsets.get(subset) === true,
  };
}

/** Whether a rule makes TLS, with nothing that the construct's own would not say, on the port and subset that a route sends to. */
function isSimpleTls(rule: Manifest | undefined, { destination: { port, subset } }: Rule): boolean {
  const { mode, sni, subjectAltNames, caCertificates = 'system', ...rest } = tlsAt(rule, port, subset);
  const others = records(record(rule?.body.spec).subsets).filter(({ name }) => text(name) !== subset);
  return (
    mode === 'SIMPLE' &&
    caCertificates === 'system' &&
    Object.keys(rest).length === 0 &&
    others.length === 0 &&
    (sni === undefined || typeof sni === 'string') &&
    (subjectAltNames === undefined || texts(subjectAltNames).length > 0)
  );
}

function tlsAt(rule: Manifest | undefined, port: number | undefined, subset: string): Json {
  const spec = record(rule?.body.spec);
  const policy =
    subset === ''
      ? record(spec.trafficPolicy)
      : record(records(spec.subsets).find((one) => text(one.name) === subset)?.trafficPolicy);
  const level = records(policy.portLevelSettings).find((one) => Number(record(one.port).number) === port);
  return record(level?.tls ?? policy.tls);
}

/** What the construct has to be told of TLS: of itself it sends the host as SNI, and has the certificate verified against that. */
function tlsOptions({ host, http, origination }: Leg): { readonly sni?: string; readonly subjectAltNames?: string[] } {
  const { sni, subjectAltNames } = tlsAt(origination, http?.to, http?.subset ?? '');
  const sent = text(sni) || host;
  // Where no SNI is written, istiod has the name verified that the request is for.
  const names = texts(subjectAltNames).length || sni !== undefined ? texts(subjectAltNames) : [sent];
  return {
    ...(sent !== host && { sni: sent }),
    ...(canonical(names) !== canonical([sent]) && { subjectAltNames: [...names] }),
  };
}

interface Place {
  readonly gateway: Manifest;
  readonly gateways: readonly Manifest[];
  readonly rules: readonly Manifest[];
  readonly serviceName: string;
  readonly namespace: string;
  readonly names: { readonly ids: Names; readonly variables: Names };
}

function write(legs: readonly Leg[], place: Place): Lifted {
  const { gateway, gateways, rules, serviceName, namespace, names } = place;
  const variable = names.variables.free('gateway');
  const imports = new Set(['EgressGateway', 'HttpEgress', 'TlsEgress', 'GatewayHop']);
  const ports = new Set([
    80,
    443,
    ...legs.flatMap((leg) => [leg.http?.hopPort, leg.tls?.hopPort]).filter((port) => port !== undefined),
  ]);
  const tlsPort = legs.find((leg) => leg.tls !== undefined)?.tls?.hopPort ?? 443;
  const selector = strings(record(gateway.body.spec).selector);
  const props = {
    namespace: namespace === 'istio-system' ? undefined : namespace,
    serviceName: serviceName === 'istio-egressgateway' ? undefined : serviceName,
    selector: canonical(selector) === canonical({ istio: 'egressgateway' }) ? undefined : selector,
    servicePorts: ports.size === 2 ? undefined : [...ports].sort((a, b) => a - b),
    tlsPort: tlsPort === 443 ? undefined : tlsPort,
    gatewayName: gateway.name,
    hopRuleName: rules[0]?.name,
  };
  const ids = [names.ids.free('EgressGateway')];
  const lines = [
    `    const ${variable} = EgressGateway.fromInstalled(this, ${literal(ids[0])}, ${literal(props, 4)});`,
  ];
  const fromCdk8s = new Set<string>();
  const replaces: Manifest[] = [...gateways, ...rules];
  for (const leg of legs) {
    const own = names.variables.free(variableName(leg.host));
    const entry = liftEntry(leg.entry, names.ids.free(leg.entry.manifest.name), own, names.variables);
    ids.push(...entry.ids);
    for (const name of entry.imports) imports.add(name);
    for (const name of entry.fromCdk8s) fromCdk8s.add(name);
    const http =
      leg.http === undefined
        ? expression('HttpEgress.direct()')
        : leg.origination === undefined
          ? expression('HttpEgress.asIs()')
          : expression(
              `HttpEgress.originateTls(${literal({ ...tlsOptions(leg), subset: leg.http.subset || undefined, destinationRule: leg.origination.name })})`,
            );
    const hop = expression(
      `GatewayHop.${leg.mutual ? 'mutualTls' : 'plainText'}(${leg.http === undefined || leg.http.hopPort === 80 ? '' : literal({ port: leg.http.hopPort })})`,
    );
    const has = (isTls: boolean): boolean =>
      leg.entry.ports.some(({ protocol }) => (protocol === 'TLS' || protocol === 'HTTPS') === isTls);
    const options = {
      http: has(false) ? http : undefined,
      https: has(true)
        ? expression(leg.tls === undefined ? 'TlsEgress.direct()' : 'TlsEgress.passthrough()')
        : undefined,
      hop: leg.http === undefined ? undefined : hop,
      subset: leg.subset,
      virtualService: leg.route.name,
    };
    lines.push('', entry.code, `    ${variable}.forward(${own}, ${literal(options, 4)});`);
    replaces.push(leg.entry.manifest, leg.route, ...(leg.origination === undefined ? [] : [leg.origination]));
  }
  return {
    code: lines.join('\n'),
    ids,
    imports: [...imports],
    fromCdk8s: [...fromCdk8s],
    replaces: [...new Set(replaces)],
    carried: [],
  };
}

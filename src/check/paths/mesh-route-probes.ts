/** Requests of workloads that routes of the Gateway API are for: those whose parent is a Service or a ServiceEntry. */
import { records } from '../../model/fields';
import { GATEWAY_API } from '../../model/gateway-api';
import {
  MESH_GATEWAY,
  type HttpRule,
  type L4Rule,
  type RuleRef,
  type VirtualService,
} from '../../model/virtual-services';
import type { CheckContext } from '../context';
import { requestsOf } from './ingress-probes';
import { type Probe, isName, portsOf, sampleOf, tcpProbes } from './probes';

export function* meshRouteProbes(context: CheckContext): Generator<Probe> {
  for (const one of context.mesh.virtualServices.all) {
    if (one.semantics !== 'gateway-api' || !one.gateways.includes(MESH_GATEWAY)) continue;
    for (const host of one.hosts) {
      for (const rule of one.http) yield* httpProbes(context, one, rule, host);
      for (const rule of one.tls) yield* tlsProbes(context, one, rule, host);
      for (const rule of one.tcp) yield* plainProbes(context, one, rule, host);
    }
  }
}

function* httpProbes(
  context: CheckContext,
  one: VirtualService,
  { ref, matches }: HttpRule,
  host: string,
): Generator<Probe> {
  const found = foundBy(context, one, ref, host);
  const route = context.mesh.gatewayApi.routes.find(({ config }) => config.manifest === found?.manifest);
  const name = sampleOf(host);
  if (found === undefined || route === undefined || !isName(name)) return;
  for (const port of portsFor(context, name, 'http', matches)) {
    for (const { path, ...rest } of requestsOf(route, records(route.config.spec.rules)[indexOf(ref)] ?? {}))
      yield { ...found, ...rest, scheme: 'http', host: name, port, url: `http://${name}:${port}${path}` };
  }
}

function* tlsProbes(
  context: CheckContext,
  one: VirtualService,
  { ref, matches }: L4Rule,
  host: string,
): Generator<Probe> {
  const found = foundBy(context, one, ref, host);
  if (found === undefined) return;
  for (const sni of new Set(matches.flatMap(({ sniHosts }) => sniHosts).map(sampleOf))) {
    if (!isName(sni)) continue;
    for (const port of portsFor(context, host, 'https', matches))
      yield { ...found, scheme: 'https', host: sni, port, url: `https://${sni}:${port}/` };
  }
}

function* plainProbes(
  context: CheckContext,
  one: VirtualService,
  { ref, matches }: L4Rule,
  host: string,
): Generator<Probe> {
  const found = foundBy(context, one, ref, host);
  if (found === undefined) return;
  const port = matches.find((match) => match.port !== 0)?.port;
  for (const probe of tcpProbes(context, found.manifest, { port, field: found.field }, {}, host))
    yield { ...probe, ...found };
}

/** The route that a rule is of, and whose clients it is for: a route of another namespace than its parent is for those of its own. */
function foundBy(
  { mesh }: CheckContext,
  { namespace }: VirtualService,
  ref: RuleRef,
  host: string,
): Pick<Probe, 'manifest' | 'field' | 'isFor'> | undefined {
  const manifest = mesh.find(GATEWAY_API, ref.kind, ref.namespace, ref.name);
  if (manifest === undefined) return undefined;
  const isOwners = mesh.services.named(host).has(namespace);
  return {
    manifest,
    field: ['spec', 'rules', indexOf(ref)],
    isFor: (client) => isOwners || client.namespace === namespace,
  };
}

function indexOf({ rule }: RuleRef): number {
  return Number(/\d+/.exec(rule)?.[0] ?? 0);
}

/** The port of the parent reference, or all that the host has for a scheme. */
function portsFor(
  context: CheckContext,
  host: string,
  scheme: 'http' | 'https',
  matches: readonly { readonly port: number }[],
): readonly number[] {
  const own = [...new Set(matches.map(({ port }) => port))].filter((port) => port !== 0);
  return own.length > 0 ? own : portsOf(context, host, scheme);
}

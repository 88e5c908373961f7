/** What `trace` says of the worlds of Envoy Gateway's own tests, against what its translator made of them. */
import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { mergerOf } from '../../src/model/envoy-gateway';
import { trace, type Trace } from '../../src/trace';
import { asksAt, headersOf, urlOf } from './asks';
import { expected, type Ask, type Expected } from './ir';
import type { TranslatedWorld } from './worlds';

export interface Compared {
  readonly world: string;
  readonly gateway: string;
  readonly ask: Ask;
  readonly expected: Expected;
  readonly told: Trace;
  /** One difference in a sentence; undefined where they agree. */
  readonly difference: string | undefined;
}

export const CLASS = 'envoy-gateway-class';

export function compareWorld({ name, release, objects, made }: TranslatedWorld): readonly Compared[] {
  const mesh = buildMesh(loadObjects(objects).manifests, { envoyGatewayVersion: release });
  const oneEmpty = Number(release.split('.')[1]) >= 8;
  return mesh.gatewayApi.gateways
    .filter(({ className }) => className === CLASS)
    .flatMap((gateway) => {
      const at = `${gateway.config.namespace}/${gateway.config.name}`;
      const ir = made[mergerOf(gateway, mesh) === undefined ? at : CLASS];
      return asksAt(mesh, gateway).map((ask): Compared => {
        const told = trace(mesh, { from: 'outside', at, request: urlOf(ask), method: ask.method, headers: headersOf(ask) }); // prettier-ignore
        const wanted = expected(ir, ask, oneEmpty);
        return { world: name, gateway: at, ask, expected: wanted, told, difference: difference(wanted, told) };
      });
    });
}

/** What `trace` says in a word. */
export function saidBy(told: Trace): string {
  const [hop] = told.hops;
  if (hop?.sends != null) return `forwarded to ${hop.envoy.endpoints.join(', ')} by ${ruleOf(told)}`;
  if (told.outcome === 'unknown') return `unknown (${told.notes.at(-1) ?? ''})`;
  const end = told.refusal ?? told.answer;
  return `${end?.code ?? told.outcome} ${end?.status ?? 'closed'} (${end?.what ?? ''})`;
}

const KINDS: Readonly<Record<string, string>> = {
  HTTPRoute: 'httproute',
  GRPCRoute: 'grpcroute',
  TLSRoute: 'tlsroute',
  TCPRoute: 'tcproute',
};

function ruleOf({ hops }: Trace): string {
  const { route } = hops[0] ?? {};
  if (route == null) return '';
  return `${KINDS[route.kind] ?? route.kind}/${route.namespace}/${route.name}/${route.rule.replace(/^rules\[(\d+)\]$/, 'rule/$1')}`;
}

function difference(wanted: Expected, told: Trace): string | undefined {
  const said = saidBy(told);
  const [hop] = told.hops;
  const isForwarded = hop?.sends != null;
  const end = isForwarded ? undefined : (told.refusal ?? told.answer);
  switch (wanted.is) {
    case 'closed':
      return end !== undefined && end.status === null ? undefined : `closed (${wanted.why}), trace says ${said}`;
    case 'answered':
      return end?.status === wanted.status ? undefined : `${wanted.status} (${wanted.by}), trace says ${said}`;
    case 'open':
      return told.outcome === 'unknown' && !isForwarded ? undefined : `hangs on ${wanted.what}, trace says ${said}`;
    case 'forwarded': {
      if (!isForwarded)
        return end !== undefined && wanted.else.includes(end.status ?? 0)
          ? undefined
          : `forwarded by ${wanted.rule}, trace says ${said}`;
      const isStream = /^t(cp|ls)route/.test(wanted.rule);
      if (isStream ? !ruleOf(told).startsWith(wanted.rule.replace(/\/rule\/.*$/, '')) : ruleOf(told) !== wanted.rule)
        return `forwarded by ${wanted.rule}, trace says ${said}`;
      return wayDiffers(wanted, told);
    }
  }
}

function wayDiffers(wanted: Extract<Expected, { is: 'forwarded' }>, { hops: [hop] }: Trace): string | undefined {
  const { envoy, sends, asks } = hop!;
  const all = wanted.to.flatMap(({ endpoints }) => endpoints);
  const other = envoy.endpoints.find((one) => all.length > 0 && !all.includes(one));
  if (other !== undefined) return `to ${all.join(', ')}, trace says ${envoy.endpoints.join(', ')}`;
  if (wanted.clusters.length > 0 && !wanted.clusters.includes(hop?.cluster ?? ''))
    return `by cluster ${wanted.clusters.join(' or ')}, trace says ${hop?.cluster ?? ''}`;
  const isTls = sends?.tls !== 'NONE';
  if (wanted.to.every(({ sni }) => (sni !== null) !== isTls) && hop!.receives.protocol === 'HTTP')
    return `${isTls ? 'without' : 'with'} TLS, trace says ${isTls ? 'with' : 'without'}`;
  if (wanted.host !== undefined && asks?.authority !== undefined && asks.authority !== wanted.host)
    return `Host ${wanted.host}, trace says ${asks.authority}`;
  if (wanted.path !== undefined && asks?.path !== undefined && asks.path.split('?')[0] !== wanted.path)
    return `path ${wanted.path}, trace says ${asks.path}`;
  return undefined;
}

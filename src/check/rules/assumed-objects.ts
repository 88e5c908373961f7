import { push } from '../../model/objects';
import { isPlaceholder } from '../../model/placeholders';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { isDeclared } from '../externals';
import { ENVOY_GATEWAY, GATEWAY_API } from '../gateway-api';
import { type Needed, needed } from '../needed';
import type { Rule } from '../rule';
import { storedValues } from '../stored-values';
import { unknownValues } from '../unknown-values';

/** How many of a namespace are named, and how many of those that need one. */
const NAMED = 20;
const NEEDING = 3;

export const rule: Rule = {
  id: 'EDGE340',
  name: 'assumed-objects',
  severity: 'info',
  title: 'What other objects need is shown by no manifest, and assumed to be there',
  why: 'All that is found here holds if they are there, with the keys, ports and hosts that are asked for, and with the ReferenceGrants that a use from another namespace takes where a chart brings them. Without its Secret a listener does not open and a login fails; without its Service a route ends in 500 or 503; without its Gateway nothing comes to a route.',
  fix: 'Nothing, if they are made elsewhere: declare them in mesh-edge.yaml under externals, as KIND NAMESPACE/NAME. Else add them, or what makes them (Certificate, ExternalSecret, SealedSecret).',
  see: 'https://istio.io/latest/docs/ops/diagnostic-tools/istioctl-analyze/',
  reads: [
    'Gateway', 'ListenerSet', 'XListenerSet', 'DestinationRule', 'VirtualService', 'ServiceEntry', 'Service', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute', 'BackendTLSPolicy',
    'SecurityPolicy', 'ClientTrafficPolicy', 'BackendTrafficPolicy', 'EnvoyExtensionPolicy', 'EnvoyProxy', 'Backend', 'HTTPRouteFilter',
  ], // prettier-ignore
  footguns: [],
  *check(context) {
    const assumed = assumedOf(context);
    const [first] = assumed;
    if (first === undefined) return;
    const unknown = context.index(unknownValues);
    const { by, field } = assumed.find((one) => !unknown.has(one.by.index)) ?? first;
    const places = [...grouped(assumed, ({ namespace }) => namespace ?? '')];
    const count = places.reduce((sum, [, all]) => sum + byObject(all).length, 0);
    const listed = places
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([namespace, all]) => `${namespace === '' ? "where the proxies run, whose Pods no manifest shows" : `in ${namespace}`}: ${listOf(all)}`); // prettier-ignore
    yield {
      // An object that holds what is not known yet is no place to point at: it would not be told.
      ...(unknown.has(by.index) ? { source: by.source, field: [] } : { manifest: by, field }),
      fix: `Nothing, if they are made elsewhere: declare them in mesh-edge.yaml under externals${example(assumed)}. Else add them, or what makes them (Certificate, ExternalSecret, SealedSecret).`,
      what: `${count === 1 ? 'an object is' : `${count} objects are`} assumed that no manifest shows; ${listed.join('; ')}`,
    };
  },
};

/** As mesh-edge.yaml takes them; the first few. */
function example(assumed: readonly Needed[]): string {
  const known = assumed.flatMap(({ kind, namespace, name }) => (namespace === undefined ? [] : [`${kind} ${namespace}/${name}`])); // prettier-ignore
  const first = [...new Set(known)].slice(0, 2);
  return first.length === 0 ? '' : ` (externals: [${first.join(', ')}])`;
}

/** Those that no manifest shows or makes, and that nobody declares. */
function assumedOf(context: CheckContext): readonly Needed[] {
  const { loaded } = context;
  return [...needed(context)].filter(
    ({ kind, namespace, name, by }) =>
      by.index < (loaded.own ?? Infinity) &&
      ![name, namespace ?? '', by.name, by.namespace].some((one) => isPlaceholder(one, 'host') || /^_+$/.test(one)) &&
      !isShown(context, kind, namespace, name) &&
      !isDeclared(loaded, { kind, namespace, name }),
  );
}

const GROUPS = { Service: '', Backend: ENVOY_GATEWAY, Gateway: GATEWAY_API } as const;

function isShown(context: CheckContext, kind: Needed['kind'], namespace: string | undefined, name: string): boolean {
  if (kind === 'Secret' || kind === 'ConfigMap') {
    return context.index(storedValues).has(kind, namespace, name);
  }
  return context.find(GROUPS[kind], kind, namespace ?? '', name) !== undefined;
}

function grouped(all: readonly Needed[], keyOf: (one: Needed) => string): Map<string, Needed[]> {
  const groups = new Map<string, Needed[]>();
  for (const one of all) push(groups, keyOf(one), one);
  return groups;
}

function byObject(all: readonly Needed[]): readonly (readonly Needed[])[] {
  return [...grouped(all, ({ kind, name }) => `${kind} ${name}`).values()];
}

function listOf(all: readonly Needed[]): string {
  const objects = byObject(all).map((needs) => {
    const by = [...new Set(needs.map((one) => nameOf(one.by)))];
    const more = by.length > NEEDING ? ` and ${by.length - NEEDING} more` : '';
    return `${needs[0]?.kind ?? ''} ${needs[0]?.name ?? ''} (for ${by.slice(0, NEEDING).join(', ')}${more})`;
  });
  return `${objects.slice(0, NAMED).join(', ')}${objects.length > NAMED ? ` and ${objects.length - NAMED} more` : ''}`;
}

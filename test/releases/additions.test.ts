/** Whatever a release added to the schemas of the one before is told under that one by its name, and taken by the release. */
import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { releaseTitle } from '../../src/check/schema/other-releases';
import { loadText } from '../../src/model/load';
import { EXPERIMENTAL } from '../../src/model/releases';
import { type Addition, additionsOf } from './additions';

const OPTION = { istio: 'istioVersion', gatewayApi: 'gatewayApiVersion', envoyGateway: 'envoyGatewayVersion', kubernetes: 'kubernetesVersion' } as const; // prettier-ignore
const RELEASED = /it needs |\bneeds (Istio|the experimental|Gateway API|Envoy Gateway) |was up to /;

/** What check finds in each object under one release: all of them at once, for each is named otherwise. */
function findings(additions: readonly Addition[], release: string): ReadonlyMap<string, readonly Finding[]> {
  const [first] = additions;
  const text = additions.map(({ object }) => JSON.stringify(object)).join('\n---\n');
  const found = check(loadText(text), first === undefined ? {} : { [OPTION[first.component]]: release }).findings;
  return grouped(found, ({ object }) => object?.name ?? '');
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

const nameOf = ({ object }: Addition): string => (object.metadata as { readonly name: string }).name;
const written = ({ version, kind, what, field, from, to }: Addition): string =>
  `${from}..${to}: ${what} ${kind} ${version} ${field}`;

/** A field's own finding, and those of what a value of it has inside. */
const isAt = (field: string, { field: at = '' }: Finding): boolean =>
  at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`) || field.startsWith(`${at}.`);

describe.each([
  ['istio', 45],
  ['gatewayApi', 170],
  ['envoyGateway', 290],
] as const)('each addition to the schemas of %s', (component, least) => {
  const additions = additionsOf(component);
  const steps = grouped(additions, ({ from, to }) => `${from}..${to}`);

  it('is found by the walk', () => {
    expect(additions.length).toBeGreaterThan(least);
  });

  it.each([...steps])('is told under the older release and taken by the newer one: %s', (_, all) => {
    const [{ from, to }] = all as readonly [Addition];
    const [older, newer] = [findings(all, from), findings(all, to)];
    const title = releaseTitle(component, to);
    // What comes to a channel first may have come to the standard one later on, which is what its users need.
    const isChannel = to === `${from}${EXPERIMENTAL}`;
    const told = ({ what }: Finding): boolean =>
      what.endsWith(`needs ${title}`) || (isChannel && /needs Gateway API [\d.]+$/.test(what));
    const silent = all.filter(
      (one) => !(older.get(nameOf(one)) ?? []).some((own) => isAt(one.field, own) && told(own)),
    );
    const refused = all.filter((one) =>
      (newer.get(nameOf(one)) ?? []).some((own) => own.field === one.field && RELEASED.test(own.what)),
    );
    expect(silent.map(written)).toEqual([]);
    expect(refused.map(written)).toEqual([]);
  });
});

it('does not name releases for what they do not take either, or do not look at', () => {
  // The type keeps 1.7 from running the rules of its CRD, and its CRD from knowing the field.
  const text = `
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: balanced, namespace: shop }
spec:
  loadBalancer: { type: BackendUtilization, backendUtilization: {} }`;
  const said = (version: string): readonly string[] =>
    check(loadText(text), { envoyGatewayVersion: version }).findings.filter(({ id }) => /^EDGE00/.test(id)).map(({ what }) => what); // prettier-ignore
  expect(said('1.8')).toEqual(['either targetRef or targetRefs must be used']);
  expect(said('1.7')).toEqual([
    'there is no field "backendUtilization" here: it needs Envoy Gateway 1.8',
    expect.stringMatching(/"BackendUtilization" is none of .*: it needs Envoy Gateway 1.8$/),
  ]);
});

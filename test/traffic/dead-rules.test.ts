import { deadMatches } from '../../src/traffic/dead-routes';
import { deadPolicies } from '../../src/traffic/dead-policies';
import { bitsOf } from '../../src/traffic/policy-clauses';
import { meshOf } from './worlds';

type Body = Record<string, unknown>;

const GATEWAY = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'public', namespace: 'edge' },
  spec: {
    selector: { istio: 'ingressgateway' },
    servers: [
      { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] },
      { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['*'], tls: { mode: 'PASSTHROUGH' } },
    ],
  },
};

const virtualService = (spec: Body, name = 'site'): Body => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name, namespace: 'edge' },
  spec: { hosts: ['site.example.com'], ...spec },
});

const to = [{ destination: { host: 'web' } }];
const rules = (...matches: readonly unknown[]): Body[] =>
  matches.map((match) => (match === undefined ? { route: to } : { match: Array.isArray(match) ? match : [match], route: to })); // prettier-ignore

/** `http[1]`, or `http[1].match[0]`. */
function dead(...objects: readonly Body[]): readonly string[] {
  return [...deadMatches(meshOf([GATEWAY, ...objects])).values()]
    .flat()
    .map(({ ref, at }) => `${ref.name} ${ref.rule}${at === undefined ? '' : ` ${at}`}`)
    .sort();
}

const atGateway = (...matches: readonly unknown[]): readonly string[] =>
  dead(virtualService({ gateways: ['public'], http: rules(...matches) }));

describe('matches that no request gets to', () => {
  it.each<readonly [string, readonly unknown[], readonly string[]]>([
    ['a narrower path after a prefix', [{ uri: { prefix: '/a' } }, { uri: { exact: '/a/b' } }], ['site http[1] 0']],
    ['a narrower path before it', [{ uri: { exact: '/a/b' } }, { uri: { prefix: '/a' } }], []],
    [
      'what two rules have between them',
      [{ headers: { x: { exact: 'a' } } }, { withoutHeaders: { x: { exact: 'a' } } }, { uri: { prefix: '/b' } }],
      ['site http[2] 0'],
    ],
    [
      'an expression within another',
      [{ uri: { regex: '/[ab]+' } }, { uri: { regex: '/(a|b)*b' } }, { uri: { regex: '/(a|c)+' } }],
      ['site http[1] 0'],
    ],
    ['a header that is there and is not', [{ headers: { x: { exact: 'a' } }, withoutHeaders: { x: {} } }], ['site http[0] 0']], // prettier-ignore
    ['one match of a rule', [{ uri: { prefix: '/a' } }, [{ uri: { exact: '/a' } }, { uri: { exact: '/b' } }]], ['site http[1] 0']], // prettier-ignore
    ['what comes after a rule for everything', [undefined, { uri: { prefix: '/a' } }], ['site http[1] 0']],
    ['a port that no server has', [{ port: 8080 }, undefined], ['site http[0] 0']],
    ['a name that is not the host', [{ authority: { exact: 'other.example.com' } }, { authority: { exact: 'site.example.com' } }], ['site http[0] 0']], // prettier-ignore
    ['a path that begins with no slash', [{ uri: { prefix: 'a' } }], ['site http[0] 0']],
    ['an expression that nobody can read', [{ uri: { regex: '(' } }, { uri: { regex: '(' } }], []],
    ['letters beyond ASCII', [{ headers: { x: { prefix: 'é' } } }], []],
  ])('%s', (_name, matches, found) => expect(atGateway(...matches)).toEqual(found));

  it('leaves alone what a client of the mesh, or another gateway, may still ask for', () => {
    const http = rules({ uri: { prefix: '/a' }, gateways: ['edge/public'] }, { uri: { prefix: '/a' } });
    expect(dead(virtualService({ gateways: ['public', 'mesh'], http }))).toEqual([]);
    expect(dead(virtualService({ gateways: ['public'], http }))).toEqual(['site http[1] 0']);
  });

  it('gives a client no labels that its match does not ask for', () => {
    const http = rules({ sourceLabels: { app: 'a' } }, { sourceLabels: { app: 'a', tier: 'b' }, uri: { prefix: '/x' } }, undefined); // prettier-ignore
    expect(dead(virtualService({ http }))).toEqual(['site http[1] 0']);
  });

  it('finds what rules of another VirtualService of the host have, but for those for everything, which come last', () => {
    const http = rules({ uri: { exact: '/a/b' } });
    const first = virtualService({ gateways: ['public'], http: rules({ uri: { prefix: '/a' } }) }, 'a');
    expect(dead(first, virtualService({ gateways: ['public'], http }, 'b'))).toEqual(['b http[0] 0']);
    const all = virtualService({ gateways: ['public'], http: rules(undefined) }, 'a');
    expect(dead(all, virtualService({ gateways: ['public'], http }, 'b'))).toEqual([]);
  });

  it('lets the narrower SNI win at sidecars, and the first at gateways where names are the same', () => {
    const hosts = ['*.example.com'];
    const tls = (...names: readonly string[]): Body[] => names.map((name) => ({ match: [{ sniHosts: [name] }], route: to })); // prettier-ignore
    expect(dead(virtualService({ hosts, tls: tls('*.example.com', 'a.example.com', 'a.example.com') }))).toEqual(['site tls[2] 0']); // prettier-ignore
    expect(dead(virtualService({ hosts, gateways: ['public'], tls: tls('*.example.com', 'a.example.com', 'a.example.com') }))).toEqual(['site tls[2] 0']); // prettier-ignore
  });
});

describe('rules of policies that match nothing', () => {
  const policy = (name: string, action: string, own: readonly unknown[], labels?: Body): Body => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'edge' },
    spec: { action, rules: own, ...(labels === undefined ? {} : { selector: { matchLabels: labels } }) },
  });
  const unmet = (...own: readonly unknown[]): readonly string[] =>
    deadPolicies(meshOf([policy('p', 'ALLOW', own)])).unmet.map(
      ({ rule, part }) => `${rule}${part === undefined ? '' : ` ${part.list}[${part.at}]`}`,
    );
  const source = (given: Body): Body => ({ from: [{ source: given }] });
  const operation = (...given: readonly Body[]): Body => ({ to: given.map((one) => ({ operation: one })) });

  it('are those whose conditions exclude each other', () => {
    expect(unmet(operation({ paths: ['/a/*'], notPaths: ['/a*'] }))).toEqual(['0']);
    expect(unmet(operation({ paths: ['/a*'], notPaths: ['/a/*'] }))).toEqual([]);
    expect(unmet(operation({ paths: ['/a'], notPaths: ['/a'] }, { methods: ['GET'] }))).toEqual(['0 to[0]']);
    expect(unmet(source({ namespaces: ['a'], principals: ['cluster.local/ns/b/sa/c'] }))).toEqual(['0']);
    expect(unmet(source({ namespaces: ['b'], principals: ['cluster.local/ns/b/sa/c'] }))).toEqual([]);
    expect(unmet(source({ ipBlocks: ['10.1.0.0/16'], notIpBlocks: ['10.0.0.0/8'] }))).toEqual(['0']);
    expect(unmet(source({ ipBlocks: ['10.0.0.0/8'], notIpBlocks: ['10.1.0.0/16'] }))).toEqual([]);
    expect(unmet({ ...operation({ ports: ['80'] }), when: [{ key: 'destination.port', values: ['81'] }] })).toEqual(['0']); // prettier-ignore
    expect(unmet({ when: [{ key: 'request.headers[x]', values: ['ab'], notValues: ['a*'] }] })).toEqual(['0']);
  });

  it('are those of ALLOW that DENY has at every proxy where they are', () => {
    const allow = policy('allow', 'ALLOW', [operation({ paths: ['/a/b'] }), operation({ paths: ['/c'] })], {
      app: 'web',
    });
    const denied = (...others: readonly Body[]): readonly number[] =>
      deadPolicies(meshOf([allow, ...others])).denied.map(({ rule }) => rule);
    const paths = operation({ paths: ['/a*'] });
    expect(denied(policy('deny', 'DENY', [paths]))).toEqual([0]);
    expect(denied(policy('deny', 'DENY', [paths], { app: 'other' }))).toEqual([]);
    expect(denied(policy('deny', 'DENY', [{ ...paths, ...source({ notNamespaces: ['x'] }) }]))).toEqual([]);
    expect(denied(policy('deny', 'DENY', [paths, operation({ notPaths: ['/a*'] })]))).toEqual([0, 1]);
  });

  it('compare addresses by their bits', () => {
    expect(bitsOf('10.0.0.0/8')).toBe('400001010');
    expect(bitsOf('::/0')).toBe('6');
    expect(bitsOf('2001:db8::/32')).toBe('600100000000000010000110110111000');
    expect(bitsOf('::1')).toHaveLength(129);
  });
});

/** What somebody asks of a world, in all formats, with words of their own in the arguments. */
import fc from 'fast-check';
import { NAMES } from './hostile';
import type { World } from './world';

/** No argument holds a NUL. */
const odd = fc.constantFrom(...NAMES.map((one) => one.replaceAll('\0', '')));

const word = (...usual: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...usual) }, odd);

const format = (...formats: readonly string[]): fc.Arbitrary<string[]> =>
  fc.constantFrom(...formats).map((one) => ['--format', one]);

const maybe = (options: fc.Arbitrary<string[]>): fc.Arbitrary<string[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, options);

const all = (...parts: readonly fc.Arbitrary<string[]>[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts).map((lists) => lists.flat());

const RELEASES = ['1.28', '1.32', '1.29.1', '1.4/experimental', '1.7.0', '1.9', '1.99'];
const mesh = all(
  maybe(fc.constantFrom('REGISTRY_ONLY', 'ALLOW_ANY').map((mode) => ['--outbound', mode])),
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<string[]>([]) },
    fc
      .tuple(
        fc.constantFrom('--istio-version', '--gateway-api-version', '--envoy-gateway-version', '--kubernetes-version'),
        word(...RELEASES),
      )
      .map((pair) => [...pair]),
    word('istio-system', 'a').map((one) => ['--root-namespace', one]),
    word('cluster.local').map((one) => ['--trust-domain', one]),
    word('new', 'new/overlays/p', 'prod').map((one) => ['--world', one]),
    fc.constant<string[]>(['--config', 'configuration']),
  ),
);

const url = fc.oneof(
  fc.constantFrom(
    'http://fine.example.com/',
    'https://a.example.com/',
    'https://shop.example.com/admin',
    'tls://x:443',
    'tcp://1.2.3.4:99',
    'http://a.b/x?y=%zz',
    'http://[::1]/',
    'http://x:0/',
    'http://x:99999/',
  ),
  odd,
  odd.map((one) => `http://${one}/`),
  odd.map((one) => `https://fine.example.com/${one}`),
  odd.map((one) => `tls://${one}:443`),
);

const header = fc
  .tuple(
    word('x', 'authorization', 'cookie', 'constructor', ':path', 'host', '__proto__'),
    word('a', 'a=b', 'Bearer x.y.z'),
  )
  .map(([key, one]) => ['--header', `${key}: ${one}`]);

const client = fc.oneof(
  { weight: 2, arbitrary: word('app/web', 'app', 'shop/web', 'default').map((one) => ['--from', one]) },
  word('edge/public', 'istio-ingress/gateway', 'istio-system/istio-ingressgateway', 'infra/apps').map((one) => [
    '--from',
    'outside',
    '--at',
    one,
  ]),
);

const asked = all(
  client,
  url.map((one) => ['--request', one]),
  maybe(header),
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<string[]>([]) },
    word('POST', 'CONNECT', 'OPTIONS').map((one) => ['--method', one]),
    word('10.0.0.1', '240.240.0.1').map((one) => ['--address', one]),
    word('app=web', 'a=b,c=d').map((one) => ['--labels', one]),
    word('web').map((one) => ['--service-account', one]),
  ),
);

const given = (...words: readonly string[]): fc.Arbitrary<string[]> => fc.constant([...words]);
const range = (from: string, to: string): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(`${from}..${to}`) }, odd);

/** Commands by how often they are asked; `SIDE` is the folder (or revision) in question, `BEFORE` the other one. */
const COMMANDS: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<string[]> }[] = [
  { weight: 6, arbitrary: all(given('check', 'SIDE'), format('text', 'json', 'sarif', 'github', 'markdown'), mesh) },
  { weight: 1, arbitrary: all(given('check', '-', '--format', 'json'), mesh) },
  { weight: 1, arbitrary: all(given('check', 'SIDE', 'BEFORE'), format('text', 'markdown'), mesh) },
  {
    weight: 1,
    arbitrary: all(fc.constantFrom(['diff', '-', 'SIDE'], ['diff', 'BEFORE', '-']), format('text', 'json')),
  },
  { weight: 1, arbitrary: all(given('trace', 'SIDE', '--requests', '-'), mesh) },
  { weight: 1, arbitrary: all(given('check', 'SIDE', '--baseline', 'b.json', '--write-baseline'), mesh) },
  {
    weight: 6,
    arbitrary: all(
      given('diff', 'BEFORE', 'SIDE'),
      format('text', 'json', 'markdown'),
      maybe(given('--over')),
      maybe(given('--exit-code')),
      mesh,
    ),
  },
  { weight: 5, arbitrary: all(given('trace', 'SIDE'), asked, format('text', 'json', 'mermaid'), mesh) },
  { weight: 2, arbitrary: all(given('trace', 'SIDE', '--requests', 'requests'), mesh) },
  {
    weight: 4,
    arbitrary: all(
      given('list', 'SIDE'),
      format('text', 'json', 'csv', 'html'),
      fc.oneof(
        { weight: 6, arbitrary: fc.constant<string[]>([]) },
        word('app', 'outside', 'shop/web').map((one) => ['--from', one]),
        word('a.example.com').map((one) => ['--to', one]),
        word('ServiceEntry/app/fine').map((one) => ['--by', one]),
      ),
      mesh,
    ),
  },
  {
    weight: 4,
    arbitrary: all(given('prove', 'rules', 'SIDE'), format('text', 'json', 'github', 'markdown', 'sarif'), mesh),
  },
  { weight: 2, arbitrary: all(given('worlds', 'SIDE'), format('text', 'json')) },
  {
    weight: 3,
    arbitrary: all(
      given('upgrade', 'SIDE'),
      fc.oneof(
        range('1.28', '1.32').map((one) => ['--istio-version', one]),
        range('1.4', '1.7').map((one) => ['--gateway-api-version', one]),
        range('1.6', '1.9').map((one) => ['--envoy-gateway-version', one]),
        fc.constant<string[]>([]),
      ),
      format('text', 'json', 'markdown'),
    ),
  },
  { weight: 3, arbitrary: all(given('verify', 'SIDE', '--config-dump', 'dump'), format('text', 'json'), mesh) },
  {
    weight: 3,
    arbitrary: all(
      given('diagram', 'SIDE'),
      fc.constantFrom('x.mmd', 'x.svg', 'x.html', 'no/such/x.svg', 'x.pdf').map((one) => ['-o', one]),
      fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, asked),
      mesh,
    ),
  },
  { weight: 3, arbitrary: all(given('adopt', 'SIDE', '-o', 'out'), maybe(given('--force')), mesh) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      given('init'),
      all(
        given('dump'),
        word('istio-system').map((one) => ['--root-namespace', one]),
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('check', 'diff', 'trace', 'list', 'worlds'), odd, odd)
      .map((words) => [...words]),
  },
];

export const command: fc.Arbitrary<string[]> = fc.oneof(...COMMANDS);

/** The words of a command in this world. */
export function argumentsOf(words: readonly string[], { isGit }: World): readonly string[] {
  const places: Readonly<Record<string, string>> = isGit
    ? { SIDE: words[0] === 'diff' ? 'HEAD:m' : 'm', BEFORE: 'HEAD~1:m' }
    : { SIDE: 'new', BEFORE: 'old' };
  return words.map((one) => (Object.hasOwn(places, one) ? (places[one] ?? one) : one));
}

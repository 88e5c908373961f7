/** What Envoy makes of random paths, in each way that Istio and Envoy Gateway may set it up, is what `trace` makes of them. */
import fc from 'fast-check';
import { treatPath, type PathSettings, type TreatedPath } from '../../src/trace/paths';
import { built } from '../lab/build';
import { VERSIONS } from '../lab/versions';
import { Mesh, PLAIN } from './mesh';

const SEED = 20261121;
const PATHS = 900;
const FIRST_PORT = 19_180;

const ESCAPED = {
  KEEP: 'KEEP_UNCHANGED',
  UNESCAPE: 'UNESCAPE_AND_FORWARD',
  REDIRECT: 'UNESCAPE_AND_REDIRECT',
  REJECT: 'REJECT_REQUEST',
} as const;

/** Since 1.36.10, 1.37.6, 1.38.4 and 1.39.1 (CVE-2026-73551). */
const foldsParameters = VERSIONS.envoy === '1.39.1';

const WAYS: readonly Omit<PathSettings, 'foldsParameters'>[] = [
  { normalizes: false, mergesSlashes: false, escapedSlashes: 'KEEP' },
  { normalizes: true, mergesSlashes: false, escapedSlashes: 'KEEP' },
  { normalizes: true, mergesSlashes: true, escapedSlashes: 'KEEP' },
  { normalizes: true, mergesSlashes: true, escapedSlashes: 'UNESCAPE' },
  { normalizes: true, mergesSlashes: true, escapedSlashes: 'REDIRECT' },
  { normalizes: true, mergesSlashes: true, escapedSlashes: 'REJECT' },
];
const SETTINGS: readonly PathSettings[] = WAYS.map((way) => ({ ...way, foldsParameters }));

const PIECES =
  '/ / / a b . .. %2e %2E %2f %2F %5c \\ %41 %7e % %2 4 1 %zz %c3 %20 ? { | %00 ; ; .; + A // %25 2 f'.split(' ');
const path = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);

/** A listener that answers with the path that its routes see. */
function listener({ normalizes, mergesSlashes, escapedSlashes }: PathSettings, index: number): object {
  const extensions = 'type.googleapis.com/envoy.extensions.filters';
  const manager = {
    '@type': `${extensions}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'paths',
    normalize_path: normalizes,
    merge_slashes: mergesSlashes,
    path_with_escaped_slashes_action: ESCAPED[escapedSlashes],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
          response_headers_to_add: [{ header: { key: 'x-path', value: '%REQ(:PATH)%' } }],
        },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${extensions}.http.router.v3.Router` } }],
  };
  return {
    address: { socket_address: { address: '127.0.0.1', port_value: FIRST_PORT + index } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
  };
}

const SCRIPT = `
envoy=$1 config=$2; shift 2
"$envoy" --config-yaml "$config" --log-level off --base-id 77 --concurrency 1 &
for try in $(seq 50); do curl -so /dev/null http://127.0.0.1:${FIRST_PORT}/ && break; sleep 0.2; done
curl -gso /dev/null --path-as-is -w '%{http_code} %header{x-path}%header{location}\\n' "$@"
kill $!`;

/** As the script writes it down. */
function written(treated: TreatedPath): string {
  if (treated.is === 'refused') return '400 ';
  return `${treated.is === 'taken' ? 200 : 307} ${treated.path}`;
}

describe('the path that routes see', () => {
  it(`is foretold for ${PATHS} random paths, seed ${SEED}, in each of ${SETTINGS.length} settings`, async () => {
    const mesh = await Mesh.open();
    const config = JSON.stringify({ static_resources: { listeners: SETTINGS.map(listener) } });
    const asked = fc
      .sample(path, { numRuns: PATHS, seed: SEED })
      .flatMap((one) => SETTINGS.map((settings, index) => ({ one, settings, port: FIRST_PORT + index })));
    const { stdout, stderr } = await mesh.lab.run('exec', {
      pod: PLAIN,
      command: [
        ...['sh', '-c', SCRIPT, 'sh', built('envoy', 'envoy'), config],
        ...asked.flatMap(({ one, port }, at) => [
          ...(at === 0 ? [] : ['-o', '/dev/null']),
          `http://127.0.0.1:${port}${one}`,
        ]),
      ],
      timeoutSeconds: 60,
    });
    const answers = stdout.split('\n').slice(0, -1);
    expect({ stderr, count: answers.length }).toEqual({ stderr, count: asked.length });
    const http = { authority: 'a', method: 'GET', scheme: 'http', headers: {} } as const;
    const wrong = asked
      .map(({ one, settings }, at) => ({
        one,
        settings,
        seen: answers[at],
        told: written(treatPath({ ...http, path: one }, settings)),
      }))
      .filter(({ seen, told }) => seen !== told);
    expect(wrong).toEqual([]);
    expect(new Set(answers.map((answer) => answer.slice(0, 3)))).toEqual(new Set(['200', '307', '400']));
  }, 300_000);
});

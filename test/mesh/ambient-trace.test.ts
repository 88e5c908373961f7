import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { AmbientMesh, type AmbientService, caller, type SeenThroughWaypoint } from './ambient';
import { REQUESTS, WORLD } from './ambient-variations';
import { LAB_RELEASES } from '../lab/versions';

const WHO = { from: 'shop/caller', account: 'caller', insecure: true };
const model = buildMesh(loadObjects(WORLD).manifests, LAB_RELEASES);
const told = (url: string) => trace(model, { from: WHO.from, serviceAccount: WHO.account, request: url });
/** Tells requests of one path apart in the site's log. */
const marked = (url: string): string => `${url}?${REQUESTS.indexOf(url)}`;

let ambient: AmbientMesh;
const bindings = new Map<string, AmbientService | undefined>();
const seen = new Map<string, SeenThroughWaypoint>();

beforeAll(async () => {
  ambient = await AmbientMesh.open();
  await ambient.use([...WORLD, ...caller('shop', 'caller')]);
  for (const url of REQUESTS) bindings.set(url, await ambient.service(new URL(url).hostname));
  const led = REQUESTS.filter((url) => isLed(bindings.get(url)));
  // Lines of one address and port are told apart by their batch.
  const [first, second] = [led.filter((url) => !isAgain(url)), led.filter(isAgain)];
  for (const batch of [first, second]) {
    const answers = await ambient.requests(batch.map((url) => ({ ...WHO, url: marked(url) })));
    batch.forEach((url, at) => seen.set(url, answers[at]!));
  }
});

afterAll(async () => {
  await ambient.clear();
  await ambient.close();
});

const isLed = (service: AmbientService | undefined): boolean =>
  service?.waypoint !== undefined && (service.addresses ?? []).length > 0;

function isAgain(url: string): boolean {
  const place = (one: string): string => {
    const { hostname, port, protocol } = new URL(one);
    return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  };
  return REQUESTS.slice(0, REQUESTS.indexOf(url)).some((other) => place(other) === place(url));
}

describe('trace of an ambient request', () => {
  it.each(REQUESTS)('tells as istiod tells ztunnel whether %s is led through a waypoint', (url) => {
    const waypoint = told(url).hops.find(({ proxy }) => proxy.kind === 'waypoint');
    const service = bindings.get(url);
    const named = isLed(service) ? service?.waypoint?.hostname.hostname : undefined;
    const expected = waypoint && `${waypoint.proxy.workload}.${waypoint.proxy.namespace}.svc.cluster.local`;
    expect(named).toBe(expected);
  });

  it.each(REQUESTS.filter((url) => told(url).hops.some(({ proxy }) => proxy.kind === 'waypoint')))(
    'tells what the waypoint does with %s',
    (url) => {
      const { hops, destination, ...rest } = told(url);
      const refusal = rest.refusal ?? rest.answer;
      const hop = hops.find(({ proxy }) => proxy.kind === 'waypoint');
      const actual = seen.get(url);
      // Envoy logs no cluster that it has not.
      const logged = refusal?.code === 'NC' ? null : hop?.cluster;
      const cluster = hop?.cluster == null ? {} : { upstream_cluster: logged };
      if (destination === null) {
        // Protocols that don't fit are the site's to refuse.
        const site = refusal?.code === 'UPE' ? {} : { site: null };
        expect(actual).toMatchObject({ status: refusal?.status ?? 0, waypoint: cluster, ...site });
        return;
      }
      // Of a range the test knows no address at which a site is.
      const isOfRange = /^http:\/\/range\./.test(url);
      const speaksAsItListens = !isOfRange && (destination.tls === 'NONE') === (destination.port === 80);
      const site = { scheme: destination.tls === 'NONE' ? 'http' : 'https', sni: destination.sni ?? '' };
      expect(actual).toMatchObject({ waypoint: cluster, ...(speaksAsItListens ? { status: 200, site } : {}) });
    },
  );

  it('is of configuration that every proxy accepted', async () => expect(await ambient.mesh.newRejects()).toBe(''));
});

import fc from 'fast-check';
import {
  GATEWAY_OBJECTS,
  PROXY_ADDRESS,
  SITES,
  type Call,
  type PolicyWorld,
  callerObjects,
  policyWorlds,
} from '../egress/random-policies';
import { type KubeObject } from '../lab/api';
import { oracleBinary } from '../lab/build';
import { toYaml } from '../trace/oracle/compare';
import type { Thing } from '../trace/oracle/vocabulary';
import { Oracle, type OracleCall, type OracleHop } from '../trace/oracle/process';
import { committed, eventually, Mesh } from './mesh';

const SEED = 20261121;

const describeCall = ({ from, site, port }: Call) => `${from.namespace}/${from.name} ${site.host}:${port}`;

describe('random policies, by the configuration that istiod generates', () => {
  const WORLDS = 80;
  const toCall = ({ from, site, port }: Call): OracleCall => ({
    from: `${from.namespace}/${from.name}`,
    host: port === 5432 ? '' : site.host,
    address: site.address,
    port,
    path: '/',
    tls: port === 443 ? 'tls' : 'plaintext',
    protocol: port === 5432 ? 'tcp' : 'http',
    sni: port === 443 ? site.host : '',
  });

  /** Whether the last hop is the way out that the site has in this world: from the sidecar or a gateway, in a tunnel or not. */
  const arrives = (world: PolicyWorld, { site, port }: Call, hops: readonly OracleHop[]) => {
    const at = SITES.indexOf(site);
    const last = hops.at(-1)!;
    const isDirect = hops.length === 1;
    const isTunnelled = last.tunnel === `${site.host}:${port}` && last.cluster!.endsWith('|proxy.example.com');
    const isPlain =
      last.tunnel === undefined && last.cluster === `outbound|${port}||${site.wildcard?.host ?? site.host}`;
    const isRight = isDirect === world.direct.includes(at) && (world.tunnelled.includes(at) ? isTunnelled : isPlain);
    return isRight && !last.error;
  };

  // The oracle routes, and judges no identity: who is admitted at the gateway is shown by the trace and the live mesh.
  it('route exactly those calls out that the labels of a rule allow', async () => {
    const oracle = new Oracle(await oracleBinary());
    let calls = 0;
    const wrong: string[] = [];
    for (const world of fc.sample(policyWorlds, { numRuns: WORLDS, seed: SEED })) {
      const objects = [...callerObjects((i) => `10.244.1.${10 + i}`), ...GATEWAY_OBJECTS, ...world.objects];
      const reply = await oracle.ask(
        toYaml(objects as Thing[]),
        'outboundTrafficPolicy: {mode: REGISTRY_ONLY}',
        world.calls.map(toCall),
      );
      expect(reply.error ?? '').toBe('');
      expect(reply.invalid ?? []).toEqual([]);
      world.calls.forEach((call, i) => {
        calls++;
        const hops = reply.results![i].hops;
        const isOut = arrives(world, call, hops);
        if (isOut !== call.passesSidecar)
          wrong.push(
            `${describeCall(call)}: ${hops.map((hop) => hop.cluster ?? hop.error).join(' > ')} of ${world.said}`,
          );
      });
    }
    oracle.end();
    expect(wrong).toEqual([]);
    expect(calls).toBeGreaterThan(2500);
  }, 600_000);
});

describe('random policies, on the real mesh', () => {
  let mesh: Mesh;
  let proxy: string;
  // The squid of document 003, which is to take a database's port as well.
  const squid = () =>
    JSON.parse(
      JSON.stringify(committed('external-https-proxy').filter(({ kind }) => kind !== 'ServiceEntry')).replace(
        'SSL_ports port 443',
        'SSL_ports port 443 5432',
      ),
    ) as KubeObject[];

  beforeAll(async () => {
    mesh = await Mesh.open();
    await mesh.lab.apply(squid());
    await mesh.lab.ready('external/squid');
    ({ address: proxy } = await mesh.lab.run('pod', { pod: 'external/squid' }));
  });
  afterEach(() => mesh.clear());
  afterAll(() => mesh.lab.delete(squid().filter(({ kind }) => kind !== 'Namespace')));

  const seenOf = ({ from, site, port }: Call) => {
    const name = `${from.namespace}/${from.name}`;
    // A client that says the first word, so that the gateway asks who it is before anything comes back.
    if (port === 5432)
      return mesh.request({ from: name, url: `http://${site.address}:5432/`, args: ['--http0.9', '--max-time', '2'] });
    return mesh.request({
      from: name,
      url: `${port === 443 ? 'https' : 'http'}://${site.host}/`,
      args: ['--max-time', '3'],
    });
  };

  // Of those in which some sites leave from the sidecar, and some in a tunnel.
  const samples = fc
    .sample(policyWorlds, { numRuns: 60, seed: SEED + 1 })
    .filter(({ direct, tunnelled }) => direct.length > 0 && tunnelled.length > 0)
    .slice(0, 3)
    .map((world) => [world.said, world] as const);

  it.each(samples)(
    'let exactly those calls arrive that a rule allows: %s',
    async (_, world) => {
      const objects = JSON.stringify([...callerObjects(), ...world.objects]).replaceAll(PROXY_ADDRESS, proxy);
      await mesh.use(JSON.parse(objects) as KubeObject[]);
      expect(await mesh.newRejects()).toBe('');
      for (const call of world.calls) {
        const what = describeCall(call);
        const check = async () => {
          const seen = await seenOf(call);
          const denied = JSON.stringify(seen.gateway ?? '').includes('rbac') || seen.gateway?.response_code === 403;
          const arrives =
            call.port === 5432 ? seen.site !== null && !denied : seen.status === 200 && seen.site !== null;
          expect({ what, arrives }).toEqual({ what, arrives: call.passes });
          if (!call.passes) expect({ what, denied }).toEqual({ what, denied: call.passesSidecar });
          if (!call.passesSidecar && call.port === 80)
            expect({ what, status: seen.status }).toEqual({ what, status: 502 });
        };
        await (call.passes ? eventually(check) : check());
      }
    },
    240_000,
  );
});

import { ApiError } from '../../lab/api';
import { committed, eventually, fixture, Mesh, meshOptions } from '../mesh';
import { SCENARIOS } from '../scenarios';
import { type Mutant, mutantsOf } from './mutants';

/**
 * Are the mesh tests able to fail? Each field that matters in a scenario is given a wrong value, one at a time, and the
 * scenario's own requests have to notice. `npm run test:mesh:mutation` prints the score.
 */
const LEFT_OUT = ['many-hosts'];

/** The changes that no request can notice, each with the reason. */
const EQUIVALENT: readonly { readonly id: string; readonly where: string; readonly why: string }[] = [
  {
    id: 'sidecar-tls-origination',
    where: 'VirtualService rewrite-port-for-entry spec.tls.0.match.0.port',
    why: 'the route leads where TLS by that SNI goes with no route at all',
  },
  ...['gateway-tls-origination', 'gateway-tls-origination-subset'].map((id) => ({
    id,
    where: 'spec.ports.0.number: 80 ->',
    why: "the gateway's own Service opens port 80 at every sidecar, and the VirtualService needs no more",
  })),
  {
    id: 'gateway-mutual-tls-origination',
    where: 'ServiceEntry nginx spec.ports',
    why: 'the stand-in server has a Service of that name with port 443, and port 80 is open by the gateway',
  },
  ...['egress-traffic-policy-credentials', 'egress-wildcards'].flatMap((id) => [
    {
      id,
      where: 'DestinationRule istio-egressgateway-hop spec.subsets.0.trafficPolicy.portLevelSettings.0.tls.sni',
      why: 'the server that all hosts share lists a namespace, and so takes any SNI',
    },
    {
      id,
      where: `ServiceEntry istio-egressgateway-from-${id === 'egress-wildcards' ? 'default' : 'shop'} spec.ports.0.number: 80 ->`,
      why: "the gateway's own Service opens port 80 at every sidecar, and the VirtualService needs no more",
    },
  ]),
];

const tally = new Map<string, { killed: number; survived: string[] }>();
let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

afterAll(() => {
  const all = [...tally.values()];
  const killed = all.reduce((sum, field) => sum + field.killed, 0);
  const survived = all.flatMap((field) => field.survived);
  const lines = [...tally].map(([field, { killed: k, survived: s }]) => `  ${field}: ${k} of ${k + s.length}`);
  const score = `mutation score: ${killed} of ${killed + survived.length} noticed`;
  process.stderr.write(`${[score, ...lines, ...survived.map((where) => `  survived: ${where}`)].join('\n')}\n`);
});

describe.each(SCENARIOS.filter(({ id }) => !LEFT_OUT.includes(id)))('$id', (scenario) => {
  const { id, arrange, fixtures = [], gateway, cases } = scenario;

  /** What notices the world: admission, a proxy, or the first request that does other than it should. */
  async function noticedBy({ objects }: Pick<Mutant, 'objects'>): Promise<string | undefined> {
    try {
      const arranged = arrange ? await arrange(mesh, objects) : objects;
      await mesh.use([...arranged, ...fixture(...fixtures)], meshOptions(id));
      for (const { title, request, seen } of cases) {
        const passes = seen.site !== null && seen.status !== 0;
        const attempt = async () => expect(await mesh.request({ gateway, ...request })).toMatchObject(seen);
        const failure = await eventually(attempt, passes ? 1.5 : 0).then(
          () => undefined,
          () => title,
        );
        if (failure !== undefined) return failure;
      }
      return (await mesh.newRejects()) || undefined;
    } catch (error) {
      if (error instanceof ApiError) return `admission: ${error.message}`;
      throw error;
    } finally {
      await mesh.clear();
    }
  }

  it('passes unchanged', async () => {
    expect(await noticedBy({ objects: committed(id) })).toBeUndefined();
  });

  const isEquivalent = ({ where }: Mutant) => EQUIVALENT.some((one) => one.id === id && where.includes(one.where));
  const mutants = mutantsOf(committed(id)).filter((mutant) => !isEquivalent(mutant));
  if (mutants.length > 0) {
    it.each(mutants)('notices $where', async (mutant) => {
      const noticed = await noticedBy(mutant);
      const entry = tally.get(mutant.field) ?? { killed: 0, survived: [] };
      tally.set(mutant.field, entry);
      if (noticed === undefined) entry.survived.push(`${id}: ${mutant.where}`);
      else entry.killed += 1;
      expect(noticed).toBeDefined();
    });
  }
});

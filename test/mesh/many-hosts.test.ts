import { type KubeObject } from '../lab/api';
import { committed, eventually, Mesh } from './mesh';
import { type Case } from './scenario';
import { SCENARIOS } from './scenarios';

const { id, arrange, gateway, cases } = SCENARIOS.find((scenario) => scenario.id === 'many-hosts')!;
const reached = cases.filter(({ seen }) => seen.site !== null);

/** The hosts' own objects by the name that they share the beginning of. */
const HOSTS = ['cnn', 'httpbin', 'wikipedia', 'github', 'aliyun', 'hbchen', 'partner', 'bank', 'db', 'cdn'];
const SOME = HOSTS.filter((_, index) => index % 2 === 0);

let mesh: Mesh;
let objects: readonly KubeObject[];
beforeAll(async () => {
  mesh = await Mesh.open();
  objects = await arrange!(mesh, committed(id));
});

const isIstio = ({ apiVersion }: KubeObject) => apiVersion.includes('istio.io/');
const belongsTo = (hosts: readonly string[]) => (object: KubeObject) =>
  isIstio(object) &&
  hosts.some((host) => object.metadata.namespace === 'default' && object.metadata.name.startsWith(host));

/** The same shuffle each time. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  let state = 20_260_306;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648);
  return items
    .map((item): [number, T] => [random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

async function expectReached(expected: readonly Case[]): Promise<void> {
  for (const { request, seen } of expected) {
    await eventually(async () => expect(await mesh.request({ gateway, ...request })).toMatchObject(seen));
  }
}

const ORDERS: readonly (readonly [string, (all: readonly KubeObject[]) => readonly KubeObject[]])[] = [
  ['as written', (all) => all],
  ['from the end', (all) => [...all].reverse()],
  ['shuffled', shuffled],
];

describe('ten hosts of mixed kinds through one gateway', () => {
  afterEach(() => mesh.clear());

  it.each(ORDERS)('are each reached when applied one by one, %s', async (_, order) => {
    const [own, others] = [objects.filter(isIstio), objects.filter((object) => !isIstio(object))];
    await mesh.use(others);
    await mesh.add(order(own));
    await expectReached(reached);
    expect(await mesh.newRejects()).toBe('');
  });

  it('are refused when deleted, leave the rest in peace, and are reached again when added', async () => {
    await mesh.use(objects);
    const half = objects.filter(belongsTo(SOME));
    expect(half.length).toBeGreaterThan(SOME.length);
    await mesh.lab.delete(half);
    await mesh.lab.settle();
    const isGone = ({ request }: Case) => SOME.some((host) => request.url.includes(host));
    const gone = reached.filter(isGone);
    expect(gone.length).toBeGreaterThanOrEqual(SOME.length);
    for (const { request } of gone) {
      expect(await mesh.request({ gateway, ...request })).toMatchObject({ gateway: null, site: null });
    }
    await expectReached(reached.filter((one) => !isGone(one)));
    await mesh.add(half);
    await expectReached(gone);
    expect(await mesh.newRejects()).toBe('');
  });
});

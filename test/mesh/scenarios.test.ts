import { committed, eventually, fixture, Mesh, meshOptions } from './mesh';
import { SCENARIOS } from './scenarios';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

describe.each(SCENARIOS)('$id', ({ id, arrange, fixtures = [], gateway, cases }) => {
  beforeAll(async () => {
    const objects = committed(id);
    const arranged = arrange ? await arrange(mesh, objects) : objects;
    await mesh.use([...arranged, ...fixture(...fixtures)], meshOptions(id));
  });
  afterAll(() => mesh.clear());

  it.each(cases)('$title', async ({ request, seen }) => {
    const passes = seen.site !== null && seen.status !== 0;
    await eventually(
      async () => expect(await mesh.request({ gateway, ...request })).toMatchObject(seen),
      passes ? 10 : 0,
    );
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});

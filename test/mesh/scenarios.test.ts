import { committed, eventually, Mesh } from './mesh';
import { SCENARIOS } from './scenarios';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

describe.each(SCENARIOS)('$id', (scenario) => {
  beforeAll(async () => {
    await mesh.use([...((await scenario.surroundings?.()) ?? []), ...committed(scenario.id)], scenario.mesh);
  });
  afterAll(() => mesh.clear());

  it.each(scenario.cases)('$title', async ({ request, seen }) => {
    const passes = seen.status !== undefined && seen.status > 0 && seen.status < 400;
    await eventually(async () => expect(await mesh.request(request)).toMatchObject(seen), passes ? 10 : 0);
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});

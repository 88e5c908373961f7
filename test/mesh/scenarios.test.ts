import * as fs from 'node:fs';
import { Conformance, CONFORMANCE } from './conformance';
import { committed, DIST, eventually, fixture, Mesh, meshOptions } from './mesh';
import { SCENARIOS } from './scenarios';

/** The folders of dist/ whose outcome is no request, or is seen by another test. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'access-log': 'access-log.test.ts',
  'egress-gateway-install': 'gateway-install.test.ts, and every world has that gateway',
  'istio-minimal': 'input for an installer',
  'envoy-gateway-in-mesh': 'needs Envoy Gateway',
  'control-plane-restart': 'needs Envoy Gateway',
  'demo-httpbin': 'needs Envoy Gateway',
  'apps-gateway-http': 'needs Envoy Gateway',
  'apps-gateway-https': 'needs Envoy Gateway',
  'strict-mutual-tls': 'needs Envoy Gateway',
};

const conformance = new Conformance();
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

  it.each(cases)('$title', async (one) => {
    const passes = one.seen.site !== null && one.seen.status !== 0;
    const attempt = async () => {
      const seen = await mesh.request({ gateway, ...one.request });
      expect(seen).toMatchObject(one.seen);
      return seen;
    };
    conformance.add(id, one, await eventually(attempt, passes ? 10 : 0));
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});

describe('the record', () => {
  it('has every scenario of dist/', () => {
    const known = [...SCENARIOS.map(({ id }) => id), ...Object.keys(ELSEWHERE)];
    expect(known.sort()).toEqual(fs.readdirSync(DIST).sort());
  });

  it('docs/conformance.md says what was seen just now', () => {
    if (process.env.MESH_EDGE_WRITE) conformance.write();
    expect(fs.readFileSync(CONFORMANCE, 'utf8')).toBe(conformance.text());
  });
});

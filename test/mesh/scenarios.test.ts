import * as fs from 'node:fs';
import * as path from 'node:path';
import { Conformance, CONFORMANCE } from './conformance';
import { committed, DIST, eventually, fixture, Mesh, meshOptions } from './mesh';
import { SCENARIOS } from './scenarios';

/** The scenarios whose outcome another test sees, by the name of its file; or which have none to see. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'access-log': 'access-log.test.ts',
  'egress-gateway-install': 'gateway-install.test.ts',
  'ambient-egress': 'ambient-egress.test.ts',
  'egress-traffic-policy': 'egress-policy.test.ts',
  'egress-traffic-policy-direct': 'egress-policy-scenarios.test.ts',
  'egress-traffic-policy-http': 'egress-policy.test.ts',
  'egress-traffic-policy-https-upgrade': 'egress-policy.test.ts',
  enforcement: 'egress-policy-scenarios.test.ts',
  'envoy-gateway-in-mesh': 'ingress.test.ts',
  'demo-httpbin': 'ingress.test.ts',
  'apps-gateway-http': 'ingress.test.ts',
  'apps-gateway-https': 'ingress.test.ts',
  'istio-ingress-path': 'ingress.test.ts',
  'published-service': 'access.test.ts',
  'ingress-tokens': 'access.test.ts',
  'deny-and-custom': 'access.test.ts',
  'rate-limit': 'ingress.test.ts',
  'single-sign-on': 'ingress.test.ts',
  'strict-mutual-tls': 'ingress.test.ts',
  'control-plane-restart': 'ingress.test.ts',
  // Input for an installer: no request shows it.
  'istio-minimal': 'admission.test.ts',
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
    const seen = await eventually(attempt, passes ? 10 : 0);
    if (!one.unrecorded) conformance.add(id, one, seen);
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});

describe('the record', () => {
  it('has every scenario of dist/', () => {
    const known = [...SCENARIOS.map(({ id }) => id), ...Object.keys(ELSEWHERE)];
    expect(known.sort()).toEqual(fs.readdirSync(DIST).sort());
    const files = new Set(Object.values(ELSEWHERE));
    expect([...files].filter((file) => !fs.existsSync(path.join(__dirname, file)))).toEqual([]);
  });

  it('docs/conformance.md says what was seen just now', () => {
    if (process.env.MESH_EDGE_WRITE) conformance.write();
    expect(fs.readFileSync(CONFORMANCE, 'utf8')).toBe(conformance.text());
  });
});

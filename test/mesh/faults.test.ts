import { ApiError } from '../lab/api';
import { committed, eventually, GATEWAY, Mesh } from './mesh';
import { type Figures, type LoadOptions, underLoad } from './load';
import { credential } from './arrangements';
import { SCENARIOS } from './scenarios';

/** The time within which traffic has to flow again after the gateway was killed. */
const GATEWAY_OUTAGE_MS = 10_000;

let mesh: Mesh;
const report: [string, Figures][] = [];
beforeAll(async () => {
  mesh = await Mesh.open();
});
afterAll(() => {
  const line = ([what, { sent, failed, longestOutageMs, probes, leaked }]: [string, Figures]) =>
    `  ${what}: ${sent} sent, ${failed} failed (longest outage ${longestOutageMs} ms), ${probes} forbidden, ${leaked} leaked`;
  process.stderr.write(`faults\n${report.map(line).join('\n')}\n`);
});

async function figuresOf(what: string, options: LoadOptions): Promise<Figures> {
  const figures = await underLoad(mesh, options);
  report.push([what, figures]);
  expect(figures.leaked).toBe(0);
  return figures;
}

const CNN = { allowed: 'http://edition.cnn.com/', forbidden: 'http://forbidden.example.com/' };

describe('while requests go on', () => {
  describe('through the gateway', () => {
    beforeAll(async () => {
      await mesh.use(committed('gateway-http'));
      await eventually(async () => expect(await mesh.request({ url: CNN.allowed })).toMatchObject({ status: 200 }));
    });
    afterAll(() => mesh.clear());

    it('a gateway that is killed comes back, and nothing goes round it meanwhile', async () => {
      const { failed, sent, longestOutageMs } = await figuresOf('gateway killed', {
        ...CNN,
        during: async () => {
          await mesh.lab.run('crash', { pod: GATEWAY, container: 'istio-proxy' });
          await eventually(async () => expect((await mesh.lab.run('pod', { pod: GATEWAY })).ready).toBe(false));
          await mesh.lab.ready(GATEWAY);
        },
      });
      expect(longestOutageMs).toBeLessThan(GATEWAY_OUTAGE_MS);
      expect(failed).toBeLessThan(sent);
      expect(await mesh.request({ url: CNN.allowed })).toMatchObject({ status: 200 });
    });

    it('an istiod that is down is not missed, and its return is not noticed', async () => {
      const { failed } = await figuresOf('istiod down', {
        ...CNN,
        during: async () => {
          await mesh.lab.run('istiod', { running: false });
          await new Promise((resolve) => setTimeout(resolve, 2000));
          await mesh.lab.run('istiod', { running: true });
        },
      });
      expect(failed).toBe(0);
      await mesh.lab.settle();
    });

    it('a bad object is refused and the good ones stay', async () => {
      const service = committed('gateway-http').find(({ kind }) => kind === 'VirtualService')!;
      const bad = { ...service, spec: { ...(service.spec as object), http: [{ match: [{ port: 80 }] }] } };
      const { failed } = await figuresOf('bad object', {
        ...CNN,
        during: async () => {
          const refused = await mesh.lab.api.apply(bad).catch((error: unknown) => error);
          expect(refused).toBeInstanceOf(ApiError);
          expect((refused as ApiError).message).toContain('validation.istio.io');
        },
      });
      expect(failed).toBe(0);
    });
  });

  describe('to a partner by mutual TLS', () => {
    const { id, arrange, gateway } = SCENARIOS.find((scenario) => scenario.id === 'many-hosts')!;
    const PARTNER = { allowed: 'http://partner.example.com/', forbidden: CNN.forbidden, gateway };
    beforeAll(async () => {
      await mesh.use(await arrange!(mesh, committed(id)));
      const url = PARTNER.allowed;
      await eventually(async () => expect(await mesh.request({ url, gateway })).toMatchObject({ status: 200 }));
    });
    afterAll(() => mesh.clear());

    it('a client certificate that is replaced is used, and no request fails', async () => {
      const { failed } = await figuresOf('credential rotated', {
        ...PARTNER,
        during: async () => {
          const next = await credential(mesh, 'partner.example.com', 'rotated', 'istio-egress');
          await mesh.lab.api.apply({ ...next, metadata: { ...next.metadata, name: 'partner-credential' } });
          await mesh.lab.settle();
        },
      });
      expect(failed).toBe(0);
      // A connection that is open keeps the certificate that it was opened with, so the gateway starts anew.
      await mesh.lab.run('crash', { pod: gateway!, container: 'istio-proxy' });
      await eventually(async () => {
        const seen = await mesh.request({ url: PARTNER.allowed, gateway });
        expect(seen.site).toMatchObject({ client: 'CN=rotated' });
      }, 20);
    });
  });

  it('no proxy refused what istiod sent', async () => {
    const metrics = await mesh.lab.run('metrics', {});
    expect(metrics.split('\n').filter((line) => line.startsWith('pilot_total_xds_rejects'))).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outcome, traceIn } from './text';

const WORLD = readFileSync(join(__dirname, '../invalid/configuration-not-written/headers-and-tls.yaml'), 'utf8');
const AT = { from: 'outside', at: 'edge/public' };
const HEADERS = 'headers:\n            - name: x-team\n              values:\n                - pay';
const end = (yaml: string, url: string): string => outcome(traceIn(yaml, {})(url, AT));

describe('a SecurityPolicy of a Gateway that has connections too', () => {
  it('leaves all that its proxies do unknown where a rule has no clientCIDRs', () => {
    for (const url of ['http://shop.example.com/', 'https://pass.example.com/']) {
      const told = traceIn(WORLD, {})(url, AT);
      expect(told.outcome).toBe('unknown');
      expect(told.noted).toContainEqual(
        expect.objectContaining({
          kind: 'configuration-not-written',
          policy: { kind: 'SecurityPolicy', namespace: 'edge', name: 'guard' },
          rule: 0,
          route: { kind: 'TLSRoute', namespace: 'edge', name: 'web' },
        }),
      );
    }
  });

  it('is in force where no route of connections is attached', () => {
    const without = WORLD.replace('kind: TLSRoute', 'kind: HTTPRoute').replace('sectionName: tls', 'sectionName: http');
    expect(end(without, 'http://shop.example.com/')).toBe('RBAC 403 at envoy-gateway');
  });

  it('asks connections for the address alone, and requests for all that a rule says', () => {
    const both = WORLD.replace(HEADERS, `${HEADERS}\n          clientCIDRs: [0.0.0.0/0]`);
    expect(end(both, 'http://shop.example.com/')).toBe('RBAC 403 at envoy-gateway');
    expect(end(both, 'https://pass.example.com/')).toContain('delivered');
  });
});

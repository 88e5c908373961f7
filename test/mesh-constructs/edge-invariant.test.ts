import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import { EdgeApp } from '../../src/app/edge-app';
import { EgressGateway, ExternalPort, ExternalService, HttpEgress, Audience } from '../../src/index';
import { EdgeInvariant, type EdgeInvariantProps } from '../../src/mesh/edge-invariant';
import { InvariantRule, TlsDemand } from '../../src/mesh/invariant-rule';
import { OutboundMode } from '../../src/mesh/outbound-traffic-policy';
import { TrafficSource } from '../../src/mesh/traffic-source';
import { Workloads } from '../../src/mesh/workloads';

const folder = (): string => join(mkdtempSync(join(tmpdir(), 'invariant-')), 'out');

/** Stripe for two namespaces, through the gateway. */
function edge(app: App): Chart {
  const chart = new Chart(app, 'edge');
  const gateway = new EgressGateway(chart, 'Egress', { namespace: 'istio-egress' });
  const stripe = new ExternalService(chart, 'Stripe', {
    hosts: ['api.stripe.com'],
    ports: [ExternalPort.http(80, { targetPort: 443 })],
    audience: Audience.namespaces('shop', 'billing'),
    namespace: 'platform',
  });
  gateway.forward(stripe, { http: HttpEgress.originateTls() });
  return chart;
}

function synth(props: EdgeInvariantProps, more: (chart: Chart) => void = () => undefined): () => void {
  const app = new EdgeApp({ manifests: folder() });
  const chart = edge(app);
  more(chart);
  // In a chart of its own: it is about the whole app.
  new EdgeInvariant(new Chart(app, 'rules'), 'Rule', { outbound: OutboundMode.REGISTRY_ONLY, ...props });
  return () => app.synth();
}

const to = { hosts: ['api.stripe.com'] };

describe('an EdgeInvariant', () => {
  it('lets synth pass where its rule holds for every request', () => {
    expect(
      synth({
        rule: InvariantRule.forbid({
          except: ['shop', 'billing', 'platform'].map((name) => TrafficSource.namespace(name)),
          to,
        }),
      }),
    ).not.toThrow();
    expect(synth({ rule: InvariantRule.require({ to: { outside: true }, through: 'istio-egress/egress', tls: TlsDemand.VERIFIED }) })).not.toThrow(); // prettier-ignore
    expect(
      synth({ rule: InvariantRule.forbid({ to: { outside: true, exceptHosts: ['*.stripe.com'] } }) }),
    ).not.toThrow();
  });

  it('has synth refuse what breaks it, with construct path and a request for trace', () => {
    expect(
      synth({
        name: 'only billing pays',
        rule: InvariantRule.forbid({
          except: [TrafficSource.namespace('billing'), TrafficSource.namespace('platform')],
          to,
        }),
      }),
    ).toThrow(
      /rules\/Rule\W[^]*"only billing pays" does not hold: shop to http:\/\/api\.stripe\.com\/ gets through: [^]*mesh-edge trace PATH --from 'shop' --request 'http:\/\/api\.stripe\.com\/'[^]*fix: /,
    );
  });

  it('sees what other charts and plain objects of the app open', () => {
    const open = (chart: Chart): void => {
      new ApiObject(chart, 'Entry', {
        apiVersion: 'networking.istio.io/v1',
        kind: 'ServiceEntry',
        metadata: { name: 'paste', namespace: 'shop' },
        spec: {
          hosts: ['paste.example.com'],
          exportTo: ['.'],
          resolution: 'DNS',
          ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
        },
      });
    };
    const rule = InvariantRule.forbid({ to: { outside: true, exceptHosts: ['api.stripe.com'] } });
    expect(synth({ rule })).not.toThrow();
    expect(synth({ rule }, open)).toThrow(/shop to https:\/\/paste\.example\.com\/ gets through: /);
  });

  it('refuses a rule that says nothing, unless it may, and names that nothing is about', () => {
    const nobody = InvariantRule.forbid({ from: [TrafficSource.outside()], to });
    expect(synth({ rule: nobody })).toThrow(/"Rule" says nothing: /);
    expect(synth({ rule: nobody, mayBeVacuous: true })).not.toThrow();
    expect(synth({ rule: InvariantRule.forbid({ from: [TrafficSource.namespace('shpo')], to }) })).toThrow(
      /no manifest has anything about namespace "shpo"/,
    );
    expect(synth({ rule: InvariantRule.forbid({ to: { hosts: ['a*b'] } }) })).toThrow(
      /"a\*b" is neither a host nor \*\.domain/,
    );
    expect(synth({ rule: InvariantRule.require({ to }) })).toThrow(/it demands nothing/);
  });

  it('names clients as the other constructs do', () => {
    const written = (one: Workloads): unknown => TrafficSource.of(one)._written();
    expect(written(Workloads.in('shop'))).toEqual(['shop']);
    expect(written(Workloads.in('shop', { app: 'web' }))).toEqual([{ namespace: 'shop', labels: { app: 'web' } }]);
    expect(written(Workloads.serviceAccount('shop', 'web'))).toEqual([{ serviceAccount: 'shop/web' }]);
    expect(TrafficSource.workload('shop', 'web')._written()).toEqual(['shop/web']);
    expect(TrafficSource.everyone()._written()).toEqual(['*']);
  });
});

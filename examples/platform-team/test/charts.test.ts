import { App, Testing } from 'cdk8s';
import 'cdk8s-mesh-edge/jest';
import { ExternalPort, ExternalService } from 'cdk8s-mesh-edge';
import { EgressChart } from '../src/egress';
import { LegacyChart } from '../src/legacy';

test('the egress chart renders what was reviewed', () => {
  expect(Testing.synth(new EgressChart(new App(), 'egress'))).toMatchSnapshot();
});

test('the legacy chart renders what was reviewed', () => {
  expect(Testing.synth(new LegacyChart(new App(), 'legacy'))).toMatchSnapshot();
});

test('a team that claims a host of another is told so', () => {
  const app = new App();
  new LegacyChart(app, 'legacy');
  const chart = new EgressChart(app, 'egress');
  new ExternalService(chart, 'Mine', {
    hosts: ['api.stripe.com'],
    ports: [ExternalPort.https()],
    namespace: 'billing',
  });
  expect(() => Testing.synth(chart)).toThrow(
    /"api\.stripe\.com".* is declared by both egress\/Stripe and egress\/Mine/,
  );
});

const outbound = 'REGISTRY_ONLY';

test('billing reaches Stripe in TLS, through the egress gateway', () => {
  expect('dist/egress').toDeliver({
    from: 'billing/invoices',
    to: 'http://api.stripe.com/v1/charges',
    via: 'istio-egress/egress',
    tls: 'SIMPLE',
    mesh: { outbound },
  });
});

test('nobody else does', () => {
  expect('dist/egress').toRefuse({
    from: 'mobile/app',
    to: 'http://api.stripe.com/v1/charges',
    status: 502,
    mesh: { outbound },
  });
});

test('whatever is asked for, only who pays reaches Stripe, and mobile reaches the weather alone', () => {
  const mesh = { outbound } as const;
  expect('dist/egress').toNeverReach({ except: ['shop', 'billing', 'platform'], to: 'api.stripe.com', mesh });
  expect('dist/egress').toOnlyReach({ from: 'mobile', to: 'api.weather.example.com', mesh });
  expect('dist/egress').toAlwaysPass({ through: 'istio-egress/egress', tls: 'verified', mesh });
});

test('the manifests hold nothing that check would refuse', () => {
  expect('dist').toHaveNoFindings();
});

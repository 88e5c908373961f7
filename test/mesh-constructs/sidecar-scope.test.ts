/** Which hosts sidecars are told of. */
import { Chart, Testing } from 'cdk8s';
import { OutboundMode, OutboundTrafficPolicy } from '../../src/mesh/outbound-traffic-policy';
import { SidecarScope, SidecarScopeProps } from '../../src/mesh/sidecar-scope';
import { problems, rendered } from '../ingress/synthesized';

const newChart = () => new Chart(Testing.app(), 'edge', { namespace: 'shop' });
const scoped = (props: SidecarScopeProps, of = newChart()): Chart => {
  new SidecarScope(of, 'Shop', props);
  return of;
};

it('renders a Sidecar of hosts, mode and workloads', () => {
  const [sidecar] = rendered(
    scoped({ hosts: ['./*', 'istio-system/*'], mode: OutboundMode.REGISTRY_ONLY, workloads: { app: 'web' } }),
    'Sidecar',
  );
  expect(sidecar.metadata).toMatchObject({ name: 'shop', namespace: 'shop' });
  expect(sidecar.spec).toEqual({
    workloadSelector: { labels: { app: 'web' } },
    egress: [{ hosts: ['./*', 'istio-system/*'] }],
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
  });
});

it('leaves out what is not given', () => {
  expect(rendered(scoped({ hosts: ['~/*'] }), 'Sidecar')[0].spec).toEqual({ egress: [{ hosts: ['~/*'] }] });
});

it.each<[string, SidecarScopeProps, RegExp]>([
  ['nothing', {}, /neither `hosts` nor `mode` is given/],
  ['no hosts', { hosts: [] }, /`hosts` is empty/],
  [
    'a host without a namespace',
    { hosts: ['api.example.com'] },
    /`hosts` has "api\.example\.com".*\n?.*NAMESPACE\/HOST/s,
  ],
  ['a namespace of another form', { hosts: ['Shop/*'] }, /`hosts` has "Shop\/\*"/],
])('refuses %s', (_what, props, expected) => {
  expect(problems(scoped(props))).toMatch(expected);
});

it('refuses two for the same workloads, whichever constructs they are of', () => {
  const of = scoped({ hosts: ['./*'] });
  new OutboundTrafficPolicy(of, 'Cut', { mode: OutboundMode.REGISTRY_ONLY });
  expect(problems(of)).toMatch(/all workloads of "shop" have a Sidecar by both edge\/Shop and edge\/Cut/);
});

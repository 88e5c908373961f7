/** Which hosts sidecars are told of. */
import { Chart, Testing } from 'cdk8s';
import { OutboundMode, OutboundTrafficPolicy } from '../../src/mesh/outbound-traffic-policy';
import { ListenerCapture, SidecarScope, SidecarScopeProps } from '../../src/mesh/sidecar-scope';
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

it('renders listeners of their own before the one for all other ports', () => {
  const listeners = [
    { port: 9080, protocol: 'HTTP', name: 'http', hosts: ['shop/*'], bind: '10.0.0.1', capture: ListenerCapture.NONE },
    { port: 0, bind: 'unix:///run/db', hosts: ['./db'] },
  ];
  expect(rendered(scoped({ listeners, hosts: ['./*'] }), 'Sidecar')[0].spec.egress).toEqual([
    {
      port: { number: 9080, protocol: 'HTTP', name: 'http' },
      bind: '10.0.0.1',
      captureMode: 'NONE',
      hosts: ['shop/*'],
    },
    { port: { number: 0, protocol: 'TCP' }, bind: 'unix:///run/db', hosts: ['./db'] },
    { hosts: ['./*'] },
  ]);
  expect(problems(scoped({ listeners }))).toBe('');
});

it.each<[string, SidecarScopeProps, RegExp]>([
  ['nothing', {}, /neither `hosts` nor `mode` is given/],
  ['a listener without hosts', { listeners: [{ port: 80, hosts: [] }] }, /`hosts` is empty/],
  ['a listener at no port', { listeners: [{ port: 0, hosts: ['./*'] }] }, /the port of a listener 0 is not a port/],
  ['a socket with a port', { listeners: [{ port: 1, bind: 'unix:///a', hosts: ['./*'] }] }, /has port 1/],
  [
    'what is redirected to a socket',
    { listeners: [{ port: 0, bind: 'unix:///a', capture: ListenerCapture.IPTABLES, hosts: ['./*'] }] },
    /captures by IPTABLES/,
  ],
  [
    'two listeners at a port',
    {
      listeners: [
        { port: 80, hosts: ['./*'] },
        { port: 80, bind: '10.0.0.1', hosts: ['a/*'] },
      ],
    },
    /two listeners at port 80/,
  ],
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

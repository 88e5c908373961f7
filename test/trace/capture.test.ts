/** Which connections iptables lead to a sidecar (tools/istio-iptables/pkg/capture/run.go), and which Pods have one (pkg/kube/inject). */
import { acceptedMesh } from '../../src/check/accepted';
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { trace, type Trace } from '../../src/trace';

interface Pod {
  readonly labels?: string;
  readonly annotations?: string;
  readonly spec?: string;
  readonly container?: string;
}

const namespace = (labels: string, annotations = ''): string =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {${labels}}, annotations: {${annotations}}}}`;
const INJECTED = namespace('istio-injection: enabled');
const pod = ({ labels = '', annotations = '', spec = '', container = '' }: Pod, name = 'web'): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: app}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}, ${labels}}, annotations: {${annotations}}}
    spec: {${spec}${spec === '' ? '' : ', '}containers: [{name: web, image: web${container}}]}`;
const values = (proxy: string): string => `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio, namespace: istio-system}
spec: {values: {global: {proxy: {${proxy}}}}}`;

const ask = (yaml: string, request: string, address?: string): Trace =>
  trace(acceptedMesh(loadText(yaml).manifests, { outbound: 'REGISTRY_ONLY' }), { from: 'app/web', request, ...(address === undefined ? {} : { address }) }); // prettier-ignore
/** Without an entry for it, the sidecar of a REGISTRY_ONLY mesh takes no connection any further. */
const passes = (one: Pod, address = '10.1.2.3', port = 5432, more = ''): boolean =>
  ask(INJECTED + more + pod(one), `tcp://db.example.com:${port}`, address).outcome === 'delivered';
const traffic = (name: string, value: string): string => `traffic.sidecar.istio.io/${name}: "${value}"`;

describe('connections that are led to a sidecar', () => {
  it('are all but those to loopback, where the Pod itself is dialled', () => {
    expect(passes({})).toBe(false);
    const told = ask(INJECTED + pod({}), 'tcp://db.example.com:5432', '127.0.0.1');
    expect([told.outcome, told.noted.map(({ kind }) => kind)]).toEqual(['unknown', ['own-loopback']]);
  });

  it('are those to loopback too, where a Sidecar listens there', () => {
    const sidecar = (bound: string, port: number): string => `
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: app}, spec: {hosts: [api.example.com], ports: [{number: ${port}, name: http, protocol: HTTP}], resolution: DNS}}
---
{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: own, namespace: app}, spec: {egress: [{port: {number: 8080, protocol: HTTP, name: http}, ${bound}, hosts: ["*/*"]}]}}`;
    const proxies = (bound: string, annotations = '', address = '127.0.0.1', port = 8080) =>
      ask(INJECTED + sidecar(bound, port) + pod({ annotations }), 'http://api.example.com:8080/', address).hops.map(
        ({ proxy }) => proxy.kind,
      );
    expect(proxies('bind: 127.0.0.1, captureMode: NONE')).toEqual(['sidecar']);
    expect(proxies('captureMode: NONE')).toEqual(['sidecar']);
    expect(proxies('bind: 127.0.0.1')).toEqual([]);
    expect(proxies('bind: 127.0.0.1', 'sidecar.istio.io/interceptionMode: NONE')).toEqual(['sidecar']);
    expect(proxies('bind: 127.0.0.1', 'sidecar.istio.io/interceptionMode: NONE', '10.1.2.3')).toEqual(['none']);
    // No service has the port, so that there is no such listener.
    expect(proxies('bind: 127.0.0.1, captureMode: NONE', '', '127.0.0.1', 80)).toEqual([]);
  });

  it('are not those to ranges that are left out, whatever ports and ranges are taken in', () => {
    const left = traffic('excludeOutboundIPRanges', '10.0.0.0/8');
    expect(passes({ annotations: left })).toBe(true);
    expect(passes({ annotations: left }, '192.0.2.1')).toBe(false);
    expect(passes({ annotations: `${left}, ${traffic('includeOutboundPorts', '5432')}` })).toBe(true);
    expect(passes({ annotations: `${left}, ${traffic('includeOutboundIPRanges', '10.1.0.0/16')}` })).toBe(true);
  });

  it('are those to ports that are taken in, though their ranges are not', () => {
    const narrow = traffic('includeOutboundIPRanges', '192.168.0.0/16');
    expect(passes({ annotations: narrow })).toBe(true);
    expect(passes({ annotations: `${narrow}, ${traffic('includeOutboundPorts', '5432')}` })).toBe(false);
    expect(passes({ annotations: `${traffic('includeOutboundPorts', '5432')}, ${traffic('excludeOutboundPorts', '5432')}` })).toBe(true); // prettier-ignore
  });

  it('are none where an empty list of ranges is written, in an annotation or in the values of the mesh', () => {
    expect(passes({ annotations: traffic('includeOutboundIPRanges', '') })).toBe(true);
    expect(passes({}, '10.1.2.3', 5432, values('includeIPRanges: ""'))).toBe(true);
    expect(passes({}, '10.1.2.3', 5432, values('includeIPRanges: "*"'))).toBe(false);
  });

  it('are none of the interface of the Pod, where that is left out', () => {
    expect(passes({ annotations: traffic('excludeInterfaces', 'net1,eth0') })).toBe(true);
    expect(passes({ annotations: traffic('excludeInterfaces', 'net1') })).toBe(false);
  });

  it('are unknown only where an address decides that nobody tells', () => {
    const without = (annotations: string): string => ask(INJECTED + pod({ annotations }), 'https://x.example.com/').outcome; // prettier-ignore
    expect(without(traffic('excludeOutboundIPRanges', '10.0.0.0/8'))).toBe('unknown');
    const nothing = `${traffic('excludeOutboundIPRanges', '10.0.0.0/8')}, ${traffic('includeOutboundIPRanges', '')}`;
    expect(without(nothing)).toBe('delivered');
  });

  it.each([
    ['the Pod says so', { spec: 'securityContext: {runAsUser: 1337}' }, true],
    ['the Pod says so of its group', { spec: 'securityContext: {runAsGroup: 1337}' }, true],
    ['the container says so', { container: ', securityContext: {runAsUser: 1337}' }, true],
    ['the container says otherwise', { spec: 'securityContext: {runAsUser: 1337}', container: ', securityContext: {runAsUser: 1000}' }, false], // prettier-ignore
    ['only files are of the group', { spec: 'securityContext: {fsGroup: 1337, supplementalGroups: [1337]}' }, false],
  ] as const)('are none of an application that runs as the user of the proxy: %s', (_, one, expected) => {
    expect(passes(one)).toBe(expected);
  });

  it('name who runs as the proxy', () => {
    const [hop] = ask(INJECTED + pod({ container: ', securityContext: {runAsGroup: 1337}' }), 'tcp://db.example.com:5432', '10.1.2.3').hops; // prettier-ignore
    expect(hop?.proxy.kind).toBe('none');
    expect(hop?.decidedBy).toEqual([{ kind: 'Deployment', namespace: 'app', name: 'web', field: 'spec.template.spec.containers[0].securityContext.runAsGroup' }]); // prettier-ignore
  });

  it('are those of the other containers, where one runs as the proxy, and a note says so', () => {
    const both = pod({ container: '}, {name: helper, image: helper, securityContext: {runAsUser: 1337}' });
    const told = ask(INJECTED + both, 'tcp://db.example.com:5432', '10.1.2.3');
    expect(told.outcome).toBe('refused');
    expect(told.notes.join()).toContain('container helper of app/web runs as the user or group of the proxy');
  });

  it('are all where OpenShift gives the proxy another user', () => {
    const shift = namespace('istio-injection: enabled', 'openshift.io/sa.scc.uid-range: 1000650000/10000, openshift.io/sa.scc.supplemental-groups: 1000650000/10000'); // prettier-ignore
    const told = ask(shift + pod({ spec: 'securityContext: {runAsUser: 1337}' }), 'tcp://db.example.com:5432', '10.1.2.3'); // prettier-ignore
    expect(told.outcome).toBe('refused');
  });

  it('tell clients apart for a reviewer', () => {
    const as = (user: number): string => INJECTED + pod({ spec: `securityContext: {runAsUser: ${user}}` });
    const { changes } = diff(loadText(as(1000)).manifests, loadText(as(1337)).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } }); // prettier-ignore
    expect(changes.map(({ effect }) => effect)).toContain('widened');
  });
});

describe('inbound connections that are led to a sidecar', () => {
  const server = (annotations: string, more = ''): string => `${namespace('istio-injection: enabled')}${more}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: app}
spec: {mtls: {mode: STRICT}}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: app}
spec: {selector: {app: store}, ports: [{name: tcp, port: 6379, targetPort: 6379}]}${pod({ annotations }, 'store')}${pod({ labels: 'sidecar.istio.io/inject: "false"' })}`;
  const enters = (annotations: string, more = ''): boolean =>
    ask(server(annotations, more), 'tcp://store:6379').outcome === 'refused';

  it('are those to listed ports, or to all but those that are left out', () => {
    expect(enters('')).toBe(true);
    expect(enters(traffic('excludeInboundPorts', '6379'))).toBe(false);
    expect(enters(traffic('includeInboundPorts', '80'))).toBe(false);
    expect(enters(traffic('includeInboundPorts', ''))).toBe(false);
    // Where ports are listed, what is left out counts for nothing.
    expect(enters(`${traffic('includeInboundPorts', '6379')}, ${traffic('excludeInboundPorts', '6379')}`)).toBe(true);
    expect(enters('status.sidecar.istio.io/port: "6379"')).toBe(false);
  });

  it('are what the values of the mesh say, unless the Pod does', () => {
    expect(enters('', values('excludeInboundPorts: "6379"'))).toBe(false);
    expect(enters(traffic('excludeInboundPorts', ''), values('excludeInboundPorts: "6379"'))).toBe(true);
    expect(enters('', values('includeInboundPorts: "80"'))).toBe(false);
  });
});

describe('Pods that get a sidecar', () => {
  const INJECT = 'sidecar.istio.io/inject';
  const isInjected = (labels: string, one: Pod): boolean => ask(namespace(labels) + pod(one), 'tcp://db.example.com:5432', '10.1.2.3').outcome === 'refused'; // prettier-ignore

  it.each([
    ['in an injected namespace', 'istio-injection: enabled', {}, true],
    ['whose label outweighs the annotation', 'istio-injection: enabled', { labels: `${INJECT}: "true"`, annotations: `${INJECT}: "false"` }, true],
    ['whose label refuses it', 'istio-injection: enabled', { labels: `${INJECT}: "false"`, annotations: `${INJECT}: "true"` }, false],
    ['whose annotation refuses it', 'istio-injection: enabled', { annotations: `${INJECT}: "false"` }, false],
    ['whose label is neither true nor false', 'istio-injection: enabled', { labels: `${INJECT}: "no"` }, true],
    ['whose label asks for it', '', { labels: `${INJECT}: "true"` }, true],
    ['whose label is no word of the injector', '', { labels: `${INJECT}: "yes"` }, false],
    // The webhook goes by labels alone, and is not asked about such a Pod.
    ['whose annotation asks for it', '', { annotations: `${INJECT}: "true"` }, false],
    ['whose namespace refuses it', 'istio-injection: disabled', { labels: `${INJECT}: "true"` }, false],
    ['which names a revision', '', { labels: 'istio.io/rev: canary' }, true],
    ['which names a revision and refuses', '', { labels: `istio.io/rev: canary, ${INJECT}: "false"` }, false],
  ] as const)('%s', (_, labels, one, expected) => {
    expect(isInjected(labels, one)).toBe(expected);
  });
}); // prettier-ignore

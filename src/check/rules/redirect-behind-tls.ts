import { record, records, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { Proxy } from '../../model/mesh';
import { proxySettings } from '../../model/proxy-config';
import type { Workload } from '../../model/workloads';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE327',
  name: 'redirect-behind-tls',
  severity: 'error',
  title: 'A port that a load balancer takes TLS off redirects to HTTPS',
  why: 'The gateway gets plain HTTP on the port, whatever the client has sent, and redirects it to HTTPS: the client comes back by TLS, the load balancer takes it off, and the gateway redirects again.',
  fix: 'Lead the port of TLS to a server that does not redirect, and that of plain HTTP to the one that does.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/network-topologies/',
  reads: ['Service'],
  footguns: ['I13'],
  *check(context) {
    const { mesh } = context;
    for (const service of context.of('', 'Service')) {
      const ended = endedPorts(service);
      if (ended.length === 0) continue;
      const labels = record(record(record(service.body).spec).selector) as Readonly<Record<string, string>>;
      if (Object.keys(labels).length === 0) continue;
      for (const pod of mesh.workloads.selected(service.namespace, labels)) {
        if (pod.membership !== 'gateway' || isBelieved(context, service, pod)) continue;
        const proxy: Proxy = {
          type: 'gateway',
          namespace: pod.namespace,
          labels: pod.labels,
          addresses: pod.addresses,
        };
        for (const { port, target } of ended) {
          const number = typeof target === 'string' ? pod.namedPorts.get(target) : target;
          const group = mesh.mergedGateway(proxy).groups.find((one) => one.port.number === number);
          const server = group?.servers.find(({ tls }) => tls?.httpsRedirect === true);
          if (server === undefined) continue;
          const { manifest } = server.gateway;
          const at = records(record(record(manifest.body).spec).servers).findIndex((one) => record(one.tls).httpsRedirect === true && record(one.port).number === server.port); // prettier-ignore
          yield {
            manifest,
            field: ['spec', 'servers', Math.max(at, 0), 'tls', 'httpsRedirect'],
            what: `port ${port} of ${nameOf(service)}, at which a load balancer ends TLS, leads to port ${number} of ${pod.namespace}/${pod.name}, where every request is redirected to HTTPS`,
            fix: `Let port ${port} of ${nameOf(service)} lead to a port of its own (targetPort), with a server of HTTP without httpsRedirect; keep the redirect on that of port 80.`,
          };
          break;
        }
        break;
      }
    }
  },
};

interface Ended {
  readonly port: number;
  /** The port of the Pods, or its name. */
  readonly target: number | string;
}

const AWS = 'service.beta.kubernetes.io/aws-load-balancer-';
const DIGITAL_OCEAN = 'service.beta.kubernetes.io/do-loadbalancer-';

/** Ports at which what balances the load before a Service ends TLS, and goes on in plain text. */
function endedPorts({ annotations, body }: Manifest): readonly Ended[] {
  const listed = (value: string | undefined, otherwise: string): readonly string[] =>
    (value ?? otherwise).split(',').map((one) => one.trim());
  let names: readonly string[] = [];
  if (annotations[`${AWS}ssl-cert`]) {
    // Over TLS again it goes on to the gateway.
    if (/^(ssl|https)$/i.test(annotations[`${AWS}backend-protocol`] ?? '')) return [];
    names = listed(annotations[`${AWS}ssl-ports`], '*');
  } else if (annotations[`${DIGITAL_OCEAN}certificate-id`]) {
    if (annotations[`${DIGITAL_OCEAN}tls-passthrough`] === 'true') return [];
    names = listed(annotations[`${DIGITAL_OCEAN}tls-ports`], '443');
  } else if (annotations['load-balancer.hetzner.cloud/protocol'] === 'https') names = ['*'];
  const ports = records(record(record(body).spec).ports);
  return ports
    .filter(({ name, port }) => names.some((one) => one === '*' || one === text(name) || one === String(port)))
    .map(({ port, targetPort }) => ({
      port: Number(port),
      target: typeof targetPort === 'string' || typeof targetPort === 'number' ? targetPort : Number(port),
    }));
}

/** Whether the gateway believes the load balancer about the scheme (X-Forwarded-Proto), which only one that reads HTTP writes. */
function isBelieved({ mesh }: CheckContext, { annotations }: Manifest, pod: Workload): boolean {
  const readsHttp = !annotations[`${AWS}ssl-cert`] || /^http$/i.test(annotations[`${AWS}backend-protocol`] ?? '');
  return readsHttp && proxySettings(mesh, pod).trustedProxies > 0;
}

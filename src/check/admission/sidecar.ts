/** What istiod's webhook refuses in a Sidecar (pkg/config/validation/validation.go of Istio 1.29). */
import { isSocket } from '../../model/endpoints';
import type { FieldPath, Manifest } from '../../model/manifest';
import { ISTIO_SWITCHES, type IstioBehavior } from '../../model/release-behavior';
import { type SidecarListener, specOf } from '../istio';
import { isKnownProtocol, isTls } from '../protocol';
import { serverTlsIssues } from './gateway';
import { boundIssues, type Issue, selectorIssues } from './issue';
import { isDnsLabel, isPortNumber, wrongName, wrongScopedHost } from './names';

const quote = JSON.stringify;

export function* sidecarIssues(manifest: Manifest, rootNamespace: string, istio: IstioBehavior): Generator<Issue> {
  const {
    workloadSelector,
    egress = [],
    ingress = [],
    outboundTrafficPolicy,
    inboundConnectionPool,
  } = specOf('Sidecar', manifest);
  if (workloadSelector) yield* selectorIssues(workloadSelector.labels, ['spec', 'workloadSelector', 'labels']);
  if (egress.length === 0 && ingress.length === 0 && !outboundTrafficPolicy && !inboundConnectionPool) {
    yield { field: ['spec'], what: 'the Sidecar says nothing', fix: 'Write egress, ingress or outboundTrafficPolicy.' };
  }
  const ports = new Set<number>();
  for (const [at, listener] of ingress.entries()) {
    const field = ['spec', 'ingress', at];
    yield* ingressIssues(listener, field);
    const number = listener.port?.number;
    if (number !== undefined && ports.has(number))
      yield { field: [...field, 'port'], what: `two ingress listeners have port ${number}`, fix: 'Keep one of them.' };
    if (number !== undefined) ports.add(number);
  }
  yield* egressIssues(egress, manifest.namespace, rootNamespace, istio);
  const proxy = outboundTrafficPolicy?.egressProxy;
  if (proxy) {
    const field = ['spec', 'outboundTrafficPolicy', 'egressProxy'];
    const wrong = wrongName(proxy.host ?? '');
    if ((outboundTrafficPolicy.mode ?? 'REGISTRY_ONLY') !== 'ALLOW_ANY')
      yield {
        field,
        what: 'egressProxy is set, and mode is REGISTRY_ONLY',
        fix: 'Write mode: ALLOW_ANY: the proxy is for what the registry does not know.',
      };
    else if (wrong)
      yield {
        field: [...field, 'host'],
        what: `the host ${quote(proxy.host ?? '')} of egressProxy is no DNS name: ${wrong}`,
        fix: 'Write the whole name of a Service.',
      };
    else if (!isPortNumber(proxy.port?.number))
      yield { field: [...field, 'port'], what: 'egressProxy has no port', fix: 'Write port.number.' };
  }
}

function* portIssues({ port, bind = '' }: SidecarListener, field: FieldPath): Generator<Issue> {
  if (!port) return;
  const { name = '', number = 0, protocol = '', targetPort } = port;
  if (name !== '' && !isDnsLabel(name))
    yield {
      field: [...field, 'port', 'name'],
      what: `the port's name ${quote(name)} is no DNS label`,
      fix: 'Use letters, digits and hyphens.',
    };
  if (protocol !== '' && !isKnownProtocol(protocol))
    yield {
      field: [...field, 'port', 'protocol'],
      what: `${quote(protocol)} is no protocol that Istio knows`,
      fix: 'Write HTTP, HTTPS, HTTP2, GRPC, TLS, TCP, MONGO, REDIS or MYSQL.',
    };
  if (targetPort)
    yield {
      field: [...field, 'port', 'targetPort'],
      what: 'a listener has a targetPort',
      fix: 'Remove it: it means nothing here.',
    };
  yield* boundIssues(bind, number, field, ' or unix:///path');
}

function* ingressIssues(listener: SidecarListener, field: FieldPath): Generator<Issue> {
  const { port, defaultEndpoint = '', tls } = listener;
  if (!port) yield { field, what: 'an ingress listener has no port', fix: 'Write its port.' };
  yield* portIssues(listener, field);
  if (defaultEndpoint !== '' && !isSocket(defaultEndpoint)) {
    const at = defaultEndpoint.lastIndexOf(':');
    const host = defaultEndpoint.slice(0, at).replace(/^\[|\]$/g, '');
    if (
      at === -1 ||
      !['', '127.0.0.1', '0.0.0.0', '::1', '::'].includes(host) ||
      !isPortNumber(Number(defaultEndpoint.slice(at + 1)))
    ) {
      yield {
        field: [...field, 'defaultEndpoint'],
        what: `the defaultEndpoint is ${quote(defaultEndpoint)}`,
        fix: 'Write 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, :PORT or unix:///path.',
      };
    }
  }
  if (!tls) return;
  for (const name of [
    'subjectAltNames',
    'httpsRedirect',
    'credentialName',
    'credentialNames',
    'tlsCertificates',
  ] as const) {
    if (tls[name])
      yield {
        field: [...field, 'tls', name],
        what: `${name} is not supported in the ingress of a Sidecar`,
        fix: 'Remove it; certificates are given as files.',
      };
  }
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH')
    yield {
      field: [...field, 'tls', 'mode'],
      what: `mode ${tls.mode} is not supported in the ingress of a Sidecar`,
      fix: 'Write SIMPLE or MUTUAL, or leave tls out for mutual TLS of the mesh.',
    };
  if (!isTls(port?.protocol))
    yield {
      field: [...field, 'tls'],
      what: `tls is set, and the protocol is ${port?.protocol ?? 'not'}`,
      fix: 'Write protocol: HTTPS or TLS.',
    };
  yield* serverTlsIssues(tls, [...field, 'tls']);
}

function* egressIssues(
  egress: readonly SidecarListener[],
  namespace: string,
  rootNamespace: string,
  istio: IstioBehavior,
): Generator<Issue> {
  const ports = new Set<number>();
  for (const [at, listener] of egress.entries()) {
    const field = ['spec', 'egress', at];
    const { port, hosts = [], captureMode = 'DEFAULT', bind = '' } = listener;
    if (!port && at < egress.length - 1) {
      yield {
        field,
        what: 'an egress listener without a port is not the last',
        fix: 'Move it to the end: it takes what the others leave.',
        why: 'istiod refuses listeners behind the one that takes everything.',
      };
    }
    yield* portIssues(listener, field);
    if (isSocket(bind) && !['DEFAULT', 'NONE'].includes(captureMode))
      yield {
        field: [...field, 'captureMode'],
        what: `a Unix socket has captureMode ${captureMode}`,
        fix: 'Write DEFAULT or NONE.',
      };
    if (port?.number) {
      if (ports.has(port.number))
        yield {
          field: [...field, 'port', 'number'],
          what: `two egress listeners have port ${port.number}`,
          fix: 'Put their hosts into one listener.',
        };
      ports.add(port.number);
    }
    if (hosts.length === 0)
      yield {
        field: [...field, 'hosts'],
        what: 'an egress listener has no hosts',
        fix: 'Write hosts such as ./* or istio-system/*; ~/* is none.',
      };
    const seen = new Set<string>();
    for (const [h, host] of hosts.entries()) {
      // What is taken away by ~NAMESPACE/HOST is named as what is imported.
      const isExcluded = istio.excludesHostsOfSidecars && /^~./.test(host);
      const wrong = wrongScopedHost(isExcluded ? host.replace(/^~(?=[^/])/, '') : host, 'Sidecar');
      if (wrong && /^~[^/]/.test(host) && !istio.excludesHostsOfSidecars) {
        const { since } = ISTIO_SWITCHES.excludesHostsOfSidecars;
        yield {
          field: [...field, 'hosts', h],
          what: `the host ${quote(host)} is not allowed: to take hosts away by ~ needs Istio ${since}`,
          fix: `Install Istio ${since} or newer, or name the namespaces whose hosts are meant.`,
        };
        continue;
      }
      if (wrong) {
        yield {
          field: [...field, 'hosts', h],
          what: `the host ${quote(host)} is not allowed: ${wrong}`,
          fix: 'Write namespace/host with the namespace of the object that declares the host: ./api.example.com, istio-system/*, */*.',
        };
        continue;
      }
      if (isExcluded) continue;
      // For the whole mesh, `./` is the namespace of each workload.
      const key = namespace === rootNamespace ? host : host.replace(/^\.\//, `${namespace}/`);
      if (seen.has(key) || seen.has(`${key.split('/')[0]}/*`)) {
        yield {
          field: [...field, 'hosts', h],
          isWarning: true,
          what: `the host ${quote(host)} is there already`,
          fix: 'Remove it.',
          why: 'It adds nothing.',
        };
      }
      seen.add(key);
    }
  }
}

/** What istiod's webhook refuses in a DestinationRule (pkg/config/validation of Istio 1.29). */
import type { FieldPath, Manifest } from '../../model/manifest';
import { type ClientTls, type TrafficPolicy, specOf } from '../istio';
import { connectionIssues } from './connection-settings';
import { type Issue, exportToIssues, labelIssues, selectorIssues } from './issue';
import { isAddress, isDnsLabel, isPortNumber, wrongHost, wrongName } from './names';

const quote = JSON.stringify;

export function* destinationRuleIssues(manifest: Manifest): Generator<Issue> {
  const { host = '', trafficPolicy, subsets = [], exportTo, workloadSelector } = specOf('DestinationRule', manifest);
  const wrong = wrongHost(host);
  if (wrong)
    yield {
      field: ['spec', 'host'],
      what: `the host ${quote(host)} is no DNS name: ${wrong}`,
      fix: 'Name a Service, a host of a ServiceEntry, or a wildcard such as *.example.com.',
    };
  if (trafficPolicy) yield* trafficPolicyIssues(trafficPolicy, ['spec', 'trafficPolicy']);
  const names = new Set<string>();
  for (const [at, { name = '', labels, trafficPolicy: policy }] of subsets.entries()) {
    const field = ['spec', 'subsets', at];
    if (names.has(name))
      yield {
        field: [...field, 'name'],
        what: `two subsets are named ${quote(name)}`,
        fix: 'Give each subset a name of its own.',
      };
    names.add(name);
    if (!isDnsLabel(name))
      yield {
        field: [...field, 'name'],
        what: `the subset ${quote(name)} is no DNS label`,
        fix: 'Use letters, digits and hyphens.',
      };
    yield* labelIssues(labels, [...field, 'labels']);
    if (policy) yield* trafficPolicyIssues(policy, [...field, 'trafficPolicy']);
  }
  yield* exportToIssues(exportTo, manifest.namespace, { hasSelector: workloadSelector !== undefined });
  if (workloadSelector)
    yield* selectorIssues(workloadSelector.matchLabels, ['spec', 'workloadSelector', 'matchLabels']);
}

function* trafficPolicyIssues(policy: TrafficPolicy, field: FieldPath): Generator<Issue> {
  const { tls, portLevelSettings, tunnel, proxyProtocol } = policy;
  const { outlierDetection, connectionPool, loadBalancer, retryBudget } = policy;
  if (
    !outlierDetection &&
    !connectionPool &&
    !loadBalancer &&
    !tls &&
    !portLevelSettings &&
    !tunnel &&
    !proxyProtocol &&
    !retryBudget
  ) {
    yield {
      field,
      what: 'the trafficPolicy is empty',
      fix: 'Write tls, loadBalancer, connectionPool or another of its fields, or leave it out.',
    };
    return;
  }
  if (tunnel && proxyProtocol) yield { field, what: 'tunnel and proxyProtocol are both set', fix: 'Keep one of them.' };
  if (tls) yield* clientTlsIssues(tls, [...field, 'tls']);
  yield* connectionIssues(policy, field);
  for (const [at, port] of (portLevelSettings ?? []).entries()) {
    const inner = [...field, 'portLevelSettings', at];
    if (!port.port) yield { field: inner, what: 'settings of a port do not say of which', fix: 'Write port.number.' };
    else if (!isPortNumber(port.port.number))
      yield {
        field: [...inner, 'port', 'number'],
        what: `${port.port.number ?? 'nothing'} is no port number`,
        fix: 'Write a number from 1 to 65535.',
      };
    if (!port.outlierDetection && !port.connectionPool && !port.loadBalancer && !port.tls)
      yield {
        field: inner,
        what: 'the settings of a port are empty',
        fix: 'Write tls, loadBalancer, connectionPool or outlierDetection.',
      };
    if (port.tls) yield* clientTlsIssues(port.tls, [...inner, 'tls']);
    yield* connectionIssues(port, inner);
  }
  if (tunnel) {
    const { protocol = '', targetHost = '', targetPort } = tunnel;
    const inner = [...field, 'tunnel'];
    if (!['', 'CONNECT', 'POST'].includes(protocol))
      yield {
        field: [...inner, 'protocol'],
        what: `a tunnel's protocol is ${quote(protocol)}`,
        fix: 'Write CONNECT or POST.',
      };
    const wrong = wrongName(targetHost);
    if (wrong && !isAddress(targetHost))
      yield {
        field: [...inner, 'targetHost'],
        what: `a tunnel leads to ${quote(targetHost)}: ${wrong}`,
        fix: 'Write a host name or an IP address.',
      };
    if (!isPortNumber(targetPort))
      yield {
        field: [...inner, 'targetPort'],
        what: `a tunnel leads to port ${targetPort ?? 'nothing'}`,
        fix: 'Write a number from 1 to 65535.',
      };
  }
}

function* clientTlsIssues(tls: ClientTls, field: FieldPath): Generator<Issue> {
  const { mode = 'DISABLE', credentialName } = tls;
  if (tls.insecureSkipVerify && (mode === 'SIMPLE' || mode === 'MUTUAL')) {
    const verifies = [
      tls.caCertificates && 'caCertificates',
      tls.subjectAltNames && 'subjectAltNames',
      mode === 'SIMPLE' && credentialName && 'credentialName',
    ].filter(Boolean);
    if (verifies.length > 0)
      yield {
        field,
        what: `insecureSkipVerify is set, and so is ${verifies.join(' and ')}`,
        fix: 'Remove insecureSkipVerify: it would switch off what the others ask for.',
      };
  }
  if ((mode === 'SIMPLE' || mode === 'MUTUAL') && credentialName) {
    const files = (['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const).filter((name) => tls[name]);
    if (files.length > 0)
      yield {
        field,
        what: `credentialName ${quote(credentialName)} and ${files.join(', ')} are set`,
        fix: 'Keep credentialName, and put everything into its Secret.',
      };
    return;
  }
  if (mode !== 'MUTUAL') return;
  if (!tls.clientCertificate)
    yield {
      field,
      what: 'mode is MUTUAL, and there is no client certificate',
      fix: 'Write credentialName of a Secret, or clientCertificate and privateKey.',
    };
  if (!tls.privateKey)
    yield {
      field,
      what: 'mode is MUTUAL, and there is no private key',
      fix: 'Write credentialName of a Secret, or clientCertificate and privateKey.',
    };
}

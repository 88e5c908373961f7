/**
 * What Envoy Gateway does not take in a ClientTrafficPolicy: every route at its HTTP and HTTPS listeners answers 500, and listeners of TCP and TLS lose
 * their routes (translateClientTrafficPolicyForListener of internal/gatewayapi/clienttrafficpolicy.go).
 */
import { hostnamesAt, type Attachment } from './attachments';
import type { EffectivePolicy } from './envoy-gateway-policies';
import { amountFault, durationFault, http2Fault } from './envoy-gateway-traffic-faults';
import { list, optionalRecord, record, records, text, texts, type Json } from './fields';
import type { ApiListener } from './gateway-api';
import type { Mesh } from './mesh';
import type { PolicyFault } from './policy-problems';

/** @param attached the routes at the listener */
export function clientFault(
  { spec }: EffectivePolicy,
  listener: ApiListener,
  attached: readonly Attachment[],
  mesh: Mesh,
): PolicyFault | undefined {
  const readsHttp = listener.protocol === 'HTTP' || listener.protocol === 'HTTPS';
  return (
    durationFault(spec, TIMES) ??
    amountFault(record(spec.connection), 'connection', 'bufferLimit', 0, 2 ** 32 - 1) ??
    (readsHttp ? headersFault(record(spec.headers)) : undefined) ??
    (readsHttp ? http2Fault(record(spec.http2), 'http2') : undefined) ??
    (readsHttp ? defaultHostFault(record(record(spec.http1).http10), listener, attached) : undefined) ??
    validationFault(record(spec.tls), listener, mesh)
  );
}

const TIMES = [
  'tcpKeepalive.idleTime',
  'tcpKeepalive.interval',
  'connection.connectionLimit.closeDelay',
  'connection.connectionLimit.maxConnectionDuration',
  'connection.connectionLimit.maxStreamDuration',
  'timeout.tcp.idleTimeout',
  'timeout.http.requestReceivedTimeout',
  'timeout.http.idleTimeout',
  'timeout.http.streamIdleTimeout',
];

function headersFault(headers: Json): PolicyFault | undefined {
  for (const part of ['earlyRequestHeaders', 'lateResponseHeaders']) {
    const { add, set, addIfAbsent, remove } = record(headers[part]);
    const field = `headers.${part}`;
    const given = [add, set, addIfAbsent]
      .flatMap(records)
      .map(({ name, value }) => ({ name: text(name), value: text(value) }));
    const name = given.map((one) => one.name).find((one) => one === '' || /[/:]/.test(one)) ?? (list(remove).includes('') ? '' : undefined); // prettier-ignore
    if (name !== undefined) return { field, problem: { is: 'header-name', path: field, header: name } };
    const bad = given.find(({ value }) => !/^[!-~]+(?:[\t ][!-~]+)*$/.test(value));
    if (bad !== undefined) return { field, problem: { is: 'header-value', path: field, header: bad.name, value: bad.value } }; // prettier-ignore
  }
  return undefined;
}

/** Requests without a Host are given one, which has to be the only one that there is. */
function defaultHostFault(
  { useDefaultHost }: Json,
  { hostname }: ApiListener,
  attached: readonly Attachment[],
): PolicyFault | undefined {
  if (useDefaultHost !== true || !hostname.includes('*')) return undefined;
  // Envoy Gateway counts a name once for each match of each rule that has it.
  const named = attached.flatMap(
    (one) =>
    hostnamesAt(one).filter((host) => !host.includes('*')).flatMap(() => records(one.route.config.spec.rules).flatMap(({ matches }) => [1, ...records(matches).slice(1)])), // prettier-ignore
  );
  return named.length === 1
    ? undefined
    : { field: 'http1.http10.useDefaultHost', problem: { is: 'default-host', hasSeveral: named.length > 0 } };
}

const VERIFYING = ['VerifyIfGiven', 'RequireAndVerify'];

/** Since 1.8 clients can only be verified by an authority that is named; before, none were asked for certificates then. */
function validationFault(
  { clientValidation }: Json,
  { protocol, tls }: ApiListener,
  mesh: Mesh,
): PolicyFault | undefined {
  const validation = optionalRecord(clientValidation);
  if (validation === undefined || !['HTTPS', 'TLS'].includes(protocol) || tls?.mode === 'Passthrough') return undefined;
  const field = 'tls.clientValidation.caCertificateRefs';
  const references = records(validation.caCertificateRefs);
  const odd = references.find(({ kind }) => !['', 'Secret', 'ConfigMap', 'ClusterTrustBundle'].includes(text(kind)));
  if (odd !== undefined) return { field, problem: { is: 'ca-of-other-kind', kind: text(odd.kind) } };
  const mode = texts([validation.mode])[0] ?? (validation.optional === true ? 'VerifyIfGiven' : 'RequireAndVerify');
  return !mesh.config.envoyGateway.wantsCaToVerify || references.length > 0 || !VERIFYING.includes(mode)
    ? undefined
    : { field: 'tls.clientValidation', problem: { is: 'no-ca', mode, path: field } };
}

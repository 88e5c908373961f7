/** What Envoy Gateway does not take of a listener by itself, whatever others there are (validateListenerSpec and what it calls, internal/gatewayapi/validate.go). */
import { optionalRecord, record, records, text, texts, type Json } from './fields';
import type { ListenerProblem } from './listener-problems';

/** Kinds of routes that a listener of a protocol may have; those of TLS hang on its mode. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  HTTP: ['HTTPRoute', 'GRPCRoute'],
  HTTPS: ['HTTPRoute', 'GRPCRoute'],
  TCP: ['TCPRoute'],
  UDP: ['UDPRoute'],
};

/** Kinds of routes that Envoy Gateway attaches to a listener that names none. */
export function kindsInEnvoyGateway(listener: Json): readonly string[] {
  const protocol = text(listener.protocol);
  if (protocol !== 'TLS') return Object.hasOwn(KINDS, protocol) ? (KINDS[protocol] ?? []) : [];
  return record(listener.tls).mode === 'Passthrough' ? ['TLSRoute'] : ['TCPRoute', 'TLSRoute'];
}

/** Why a listener is not programmed; what is amiss with its certificates is told elsewhere. */
export function problemInEnvoyGateway(listener: Json): ListenerProblem | undefined {
  return protocolProblem(listener) ?? kindProblem(listener) ?? selectorProblem(listener) ?? tlsProblem(listener);
}

function protocolProblem({ protocol, hostname }: Json): ListenerProblem | undefined {
  const name = text(protocol);
  if (name !== 'TLS' && !Object.hasOwn(KINDS, name)) return { is: 'protocol-not-taken', protocol: name };
  return (name === 'TCP' || name === 'UDP') && text(hostname) !== ''
    ? { is: 'hostname-of-stream', protocol: name }
    : undefined;
}

/** One kind that does not fit is enough: none of the routes is attached then. */
function kindProblem(listener: Json): ListenerProblem | undefined {
  const can = kindsInEnvoyGateway(listener);
  for (const { group, kind } of records(record(listener.allowedRoutes).kinds)) {
    const isOther = group !== undefined && text(group) !== 'gateway.networking.k8s.io';
    if (isOther || !can.includes(text(kind)))
      return { is: 'kind-not-taken', group: isOther ? text(group) : '', kind: text(kind), protocol: text(listener.protocol), takes: can }; // prettier-ignore
  }
  return undefined;
}

function selectorProblem(listener: Json): ListenerProblem | undefined {
  const { from, selector } = record(record(listener.allowedRoutes).namespaces);
  if (from !== 'Selector') return undefined;
  if (optionalRecord(selector) === undefined) return { is: 'no-selector' };
  // By LabelSelectorAsSelector of k8s.io/apimachinery.
  const bad = records(record(selector).matchExpressions).find(({ operator, values }) => {
    const has = texts(values).length > 0;
    if (operator === 'In' || operator === 'NotIn') return !has;
    return !(operator === 'Exists' || operator === 'DoesNotExist') || has;
  });
  return bad === undefined ? undefined : { is: 'selector-not-valid', operator: text(bad.operator), key: text(bad.key) };
}

function tlsProblem(listener: Json): ListenerProblem | undefined {
  const protocol = text(listener.protocol);
  const tls = optionalRecord(listener.tls);
  if (protocol !== 'HTTPS' && protocol !== 'TLS')
    return tls === undefined ? undefined : { is: 'tls-not-taken', protocol };
  if (tls === undefined) return { is: 'no-tls', protocol };
  const mode = text(tls.mode) || 'Terminate';
  const certificates = records(tls.certificateRefs).length;
  if (protocol === 'HTTPS' && mode !== 'Terminate') return { is: 'tls-mode-of-https', mode };
  if (mode === 'Passthrough') return certificates === 0 ? undefined : { is: 'certificates-with-passthrough' };
  return certificates > 0 ? undefined : { is: 'no-certificate' };
}

/** What Envoy Gateway does not take of a listener by itself, whatever others there are (validateListenerSpec and what it calls, internal/gatewayapi/validate.go). */
import { optionalRecord, record, records, text, texts, type Json } from './fields';
import type { Problem } from './gateway-api';

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
export function problemInEnvoyGateway(listener: Json): Problem | undefined {
  return protocolProblem(listener) ?? kindProblem(listener) ?? selectorProblem(listener) ?? tlsProblem(listener);
}

function protocolProblem({ protocol, hostname }: Json): Problem | undefined {
  const name = text(protocol);
  if (name !== 'TLS' && !Object.hasOwn(KINDS, name))
    return { problem: `Envoy Gateway takes no protocol ${name}`, cure: 'use HTTP, HTTPS, TLS, TCP or UDP' };
  return (name === 'TCP' || name === 'UDP') && text(hostname) !== ''
    ? { problem: `a listener of ${name} may have no hostname`, cure: 'take hostname off the listener' }
    : undefined;
}

/** One kind that does not fit is enough: none of the routes is attached then. */
function kindProblem(listener: Json): Problem | undefined {
  const can = kindsInEnvoyGateway(listener);
  for (const { group, kind } of records(record(listener.allowedRoutes).kinds)) {
    const isOther = group !== undefined && text(group) !== 'gateway.networking.k8s.io';
    if (isOther || !can.includes(text(kind)))
      return {
        problem: `allowedRoutes.kinds has ${isOther ? `${text(group)}/` : ''}${text(kind)}, and a listener of ${text(listener.protocol)} takes ${can.join(' or ')}`,
        cure: `take ${text(kind)} out of allowedRoutes.kinds`,
      };
  }
  return undefined;
}

function selectorProblem(listener: Json): Problem | undefined {
  const { from, selector } = record(record(listener.allowedRoutes).namespaces);
  if (from !== 'Selector') return undefined;
  if (optionalRecord(selector) === undefined)
    return {
      problem: 'allowedRoutes.namespaces.from is Selector, and there is no selector',
      cure: 'write allowedRoutes.namespaces.selector',
    };
  // By LabelSelectorAsSelector of k8s.io/apimachinery.
  const bad = records(record(selector).matchExpressions).find(({ operator, values }) => {
    const has = texts(values).length > 0;
    if (operator === 'In' || operator === 'NotIn') return !has;
    return !(operator === 'Exists' || operator === 'DoesNotExist') || has;
  });
  return bad === undefined
    ? undefined
    : {
        problem: `allowedRoutes.namespaces.selector is not valid: operator ${text(bad.operator)} of key ${text(bad.key)}`,
        cure: 'give In and NotIn values, and Exists and DoesNotExist none',
      };
}

function tlsProblem(listener: Json): Problem | undefined {
  const protocol = text(listener.protocol);
  const tls = optionalRecord(listener.tls);
  if (protocol !== 'HTTPS' && protocol !== 'TLS')
    return tls === undefined
      ? undefined
      : { problem: `a listener of ${protocol} may have no tls`, cure: 'take tls off, or use protocol HTTPS or TLS' };
  if (tls === undefined)
    return { problem: `a listener of ${protocol} needs tls`, cure: 'write tls with certificateRefs' };
  const mode = text(tls.mode) || 'Terminate';
  const certificates = records(tls.certificateRefs).length;
  if (protocol === 'HTTPS' && mode !== 'Terminate')
    return {
      problem: `a listener of HTTPS may have no tls.mode ${mode}`,
      cure: 'use protocol TLS, with TLSRoutes, or tls.mode Terminate',
    };
  if (mode === 'Passthrough')
    return certificates === 0
      ? undefined
      : {
          problem: 'tls.mode is Passthrough, and there are certificateRefs',
          cure: 'take certificateRefs off, or use tls.mode Terminate',
        };
  return certificates > 0
    ? undefined
    : { problem: 'it has no certificate (tls.certificateRefs)', cure: 'name a Secret of type kubernetes.io/tls' };
}

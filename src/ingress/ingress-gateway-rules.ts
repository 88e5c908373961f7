import { IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';
import type { IngressGateway } from './ingress-gateway';
import type { IngressListener } from './ingress-listener';

/** Which listeners can't stand together in one gateway. */
export function listenerMixProblems(listeners: readonly IngressListener[]): Problem[] {
  const problems: Problem[] = [];
  if (!listeners.length) {
    const fix = 'give `listeners`, such as [IngressListener.http()]';
    problems.push({ what: 'has no listener', why: 'the API server refuses it', fix });
  }
  listeners.forEach((listener, i) => {
    const earlier = listeners.slice(0, i);
    if (earlier.some((other) => other.name === listener.name)) {
      problems.push({
        what: `two listeners are named ${quote(listener.name)}`,
        why: 'routes and policies refer to listeners by name, so the API server refuses it',
        fix: 'give each a name of its own',
      });
    }
    for (const other of earlier.filter((one) => one.port === listener.port)) {
      problems.push(...samePort(other, listener));
    }
  });
  return problems;
}

/** HTTPS and TLS share a port by SNI, so they count as one protocol there. */
const transport = (listener: IngressListener) => (listener.protocol === 'HTTPS' ? 'TLS' : listener.protocol);

/**
 * Which listeners of a set cannot stand beside those of its gateway, or of other sets. Names may be the same: they are those of other objects.
 *
 * @internal
 */
export function addedListenerProblems(
  listeners: readonly IngressListener[],
  others: readonly IngressListener[],
  whose: string,
): Problem[] {
  return listeners.flatMap((listener) =>
    others
      .filter((other) => other.port === listener.port)
      .flatMap((other) => samePort(other, listener))
      .map((problem) => ({ ...problem, what: `${problem.what}, the first of ${whose}` })),
  );
}

function samePort(a: IngressListener, b: IngressListener): Problem[] {
  const both = `listeners ${quote(a.name)} (${a.protocol}) and ${quote(b.name)} (${b.protocol})`;
  if (transport(a) !== transport(b)) {
    return [
      {
        what: `${both} share port ${a.port}`,
        why: 'the bytes of one protocol do not tell it from the other, so both are refused',
        fix: 'give one of them another port',
      },
    ];
  }
  if (a.hostname !== b.hostname) return [];
  const host = a.hostname === undefined ? 'any host' : quote(a.hostname);
  return [
    {
      what: `${both} share port ${a.port} for ${host}`,
      why: 'nothing tells them apart: one is refused, and HTTPS beside TLS makes Envoy reject all updates',
      fix: 'give each a `hostname` of its own',
    },
  ];
}

/**
 * Browsers reuse an HTTP/2 connection for every host that the certificate covers. Where another gateway serves that host, the request still
 * goes to the first, which answers 404.
 */
export function gatewaysWithOneCertificate(
  gateways: readonly IngressGateway[],
): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, IngressGateway>();
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  for (const gateway of gateways) {
    const secrets = gateway.listeners.flatMap((listener) =>
      listener._certificates.map((one) => `${one.namespace ?? gateway.namespace}/${one.secretName}`),
    );
    for (const secret of new Set(secrets)) {
      const other = owners.get(secret);
      if (!other) owners.set(secret, gateway);
      else found.push({ at: gateway, problem: sharedCertificate(secret, other, gateway) });
    }
  }
  return found;
}

function sharedCertificate(secret: string, first: IngressGateway, second: IngressGateway): Problem {
  return {
    what: `certificate ${quote(secret)} is shown by both ${first.node.path} and ${second.node.path}`,
    why: 'browsers reuse a connection for all hosts of a certificate, and get 404 for those of the other gateway',
    fix: 'give each gateway a certificate of its own, or make them one gateway with two listeners',
  };
}

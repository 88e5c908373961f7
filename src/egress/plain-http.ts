import { Problem, quote } from '../core/problem';
import { HttpEgress } from './egress-ways';
import type { ExternalPort } from './external-port';

/**
 * What happens to plain HTTP where nothing is said.
 */
export function defaultWay(port: ExternalPort | undefined): HttpEgress {
  return port?._thenTls ? HttpEgress.originateTls() : HttpEgress.asIs();
}

/**
 * Plain HTTP that would reach a TLS port as it is.
 */
export function plainToTls(hosts: readonly string[], port: ExternalPort | undefined, way: HttpEgress): Problem[] {
  if (!port?.isHttp || way.mode !== 'AS_IS') return [];
  if (!port._thenTls && port.targetPort !== 443 && port.targetPort !== 8443) return [];
  return [
    {
      what: `HTTP to ${hosts.map(quote).join(', ')} port ${port.number} is sent on as it is, to port ${port.targetPort}`,
      why: `port ${port.targetPort} speaks TLS: it answers plain text with 400, and all of it is read on the way`,
      fix: 'originate TLS: `http: HttpEgress.originateTls()`, or leave `http` out with ExternalPort.httpThenTls()',
    },
  ];
}

/** Listeners that Envoy Gateway calls in conflict, and programs none of (validateConflictedLayer7Listeners and …Layer4… of internal/gatewayapi/validate.go). */
import type { ApiListener } from './gateway-api';

type Listener = Pick<ApiListener, 'name' | 'port' | 'protocol' | 'hostname'>;

/** HTTPS and TLS may share a port, since SNI tells them apart. */
const family = ({ protocol }: Listener): string =>
  protocol === 'HTTPS' || protocol === 'TLS' ? 'HTTPS/TLS' : protocol;

const isStream = ({ protocol }: Listener): boolean => protocol === 'TCP' || protocol === 'UDP';

interface Conflict {
  readonly problem: string;
  readonly cure: string;
}

/** Why a listener is in conflict with others of its Gateway; undefined where it is not. Of TCP, and of UDP, the first of a port counts. */
export function conflictOf(listener: Listener, all: readonly Listener[]): Conflict | undefined {
  const { port, protocol, hostname } = listener;
  const sharing = all.filter((one) => one.port === port && one !== listener);
  if (isStream(listener)) {
    const first = all.find((one) => one.port === port && one.protocol === protocol);
    if (first === undefined || first === listener) return undefined;
    return {
      problem: `listener ${first.name} has port ${port} (${protocol}) already`,
      cure: 'give it a port of its own',
    };
  }
  const others = sharing.filter((one) => !isStream(one));
  const mixed = others.find((one) => family(one) !== family(listener));
  if (mixed !== undefined)
    return {
      problem: `it is in conflict with listener ${mixed.name}, and neither is programmed: port ${port} cannot be ${protocol} and ${mixed.protocol}`,
      cure: 'give each protocol a port of its own',
    };
  const same = others.find((one) => one.hostname === hostname);
  if (same === undefined) return undefined;
  return {
    problem: `it is in conflict with listener ${same.name}, and neither is programmed: both have port ${port} and ${hostname === '*' ? 'no hostname' : `hostname ${hostname}`}`,
    cure: 'give each listener of the port a hostname of its own, or attach its routes to the one that is kept',
  };
}

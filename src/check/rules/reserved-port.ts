import { serviceEntries } from '../edge';
import type { Rule } from '../rule';

/** Ports of the sidecar itself. */
const RESERVED = new Map([[15000, 'admin'], [15001, 'outbound'], [15004, 'debug'], [15006, 'inbound'], [15008, 'HBONE'], [15020, 'metrics'], [15021, 'health'], [15053, 'DNS'], [15090, 'metrics of Envoy']]); // prettier-ignore

export const rule: Rule = {
  id: 'EDGE115',
  name: 'reserved-port',
  severity: 'error',
  title: 'A host is declared on a port that the sidecar keeps for itself',
  why: 'The sidecar listens on the port already: Envoy refuses a second listener for it, in every proxy that sees the host, and each of them counts as out of date from then on.',
  fix: 'Use another port.',
  see: 'https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio',
  reads: ['ServiceEntry'],
  footguns: ['S10'],
  *check(context) {
    for (const { manifest, spec } of context.index(serviceEntries)) {
      const isOpen =
        (spec.addresses ?? []).length === 0 || (spec.addresses ?? []).some((address) => address.includes('/'));
      for (const [at, { number = 0 }] of (spec.ports ?? []).entries()) {
        const use = RESERVED.get(number);
        if (use === undefined || !isOpen) continue;
        yield {
          manifest,
          field: ['spec', 'ports', at, 'number'],
          severity: [15001, 15006].includes(number) ? 'error' : 'warning',
          what: `port ${number} is the sidecar's own (${use})`,
        };
      }
    }
  },
};

import { optionalRecord, record } from '../../model/fields';
import type { ApiListener } from '../../model/gateway-api';
import { targetsOf } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE834',
  name: 'client-tls-without-tls',
  severity: 'error',
  title: 'A ClientTrafficPolicy says what TLS clients speak to listeners that take none off',
  why: 'Envoy Gateway carries out tls of a ClientTrafficPolicy where a listener ends TLS. On any other it counts for nothing: no version is asked for, and no certificate of a client.',
  fix: 'Give the listener TLS: protocol HTTPS, with certificateRefs; the number of its port makes none.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/traffic/client-traffic-policy/',
  reads: ['ClientTrafficPolicy'],
  footguns: ['Y27'],
  *check(context) {
    const { gatewayApi } = context.mesh;
    for (const manifest of context.of(ENVOY_GATEWAY, 'ClientTrafficPolicy')) {
      const tls = optionalRecord(record(record(manifest.body).spec).tls);
      if (tls === undefined) continue;
      const served = targetsOf(manifest).flatMap(({ kind, name = '', sectionName }) => {
        const gateway = kind === 'Gateway' ? gatewayApi.find(manifest.namespace, name) : undefined;
        if (gateway?.controller !== 'envoy-gateway') return [];
        return gateway.listeners.filter((one) => sectionName === undefined || one.name === sectionName);
      });
      if (served.length === 0 || served.some(endsTls)) continue;
      const asksClients = tls.clientValidation !== undefined;
      yield {
        manifest,
        field: ['spec', 'tls', ...(asksClients ? ['clientValidation'] : [])],
        what: `none of the listeners that the policy is for ends TLS: ${served.map(({ name, port, protocol }) => `${name} (${port} ${protocol})`).join(', ')}${asksClients ? '; whoever calls them shows no certificate' : ''}`,
        ...(asksClients ? {} : { severity: 'warning' as const }),
      };
    }
  },
};

const endsTls = ({ protocol, tls }: ApiListener): boolean =>
  protocol === 'HTTPS' || (tls !== undefined && tls.mode !== 'Passthrough');

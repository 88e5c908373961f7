import type { Manifest } from '../../model/manifest';
import { nameOf } from '../edge';
import { targetsOf } from '../envoy-gateway';
import { GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE823',
  name: 'backend-tls-port',
  severity: 'error',
  title: 'A BackendTLSPolicy names no port of its Service, or one that another policy has',
  why: 'sectionName is the name of a port. A number, or a name that the Service lacks, is no port: the policy has no effect, and requests go on in plain text. Of two policies for one port the older counts.',
  fix: 'Write the name of the port, and one policy for each.',
  see: 'https://gateway-api.sigs.k8s.io/api-types/backendtlspolicy/',
  reads: ['BackendTLSPolicy'],
  footguns: ['Y15'],
  *check(context) {
    const taken = new Map<string, Manifest>();
    for (const manifest of context.of(GATEWAY_API, 'BackendTLSPolicy')) {
      for (const [at, { group = '', kind = '', name = '', sectionName }] of targetsOf(manifest).entries()) {
        const field = ['spec', 'targetRefs', at];
        const key = `${manifest.namespace} ${group} ${kind} ${name} ${sectionName ?? ''}`;
        const other = taken.get(key);
        taken.set(key, manifest);
        if (other)
          yield {
            manifest,
            field,
            what: `${other === manifest ? `two targets of ${nameOf(manifest)}` : `${nameOf(manifest)} and ${nameOf(other)}`} are both for ${sectionName === undefined ? 'all ports' : `port ${JSON.stringify(sectionName)}`} of ${kind} ${name}`,
          };
        if (group !== '' || kind !== 'Service' || sectionName === undefined) continue;
        const service = context.mesh.find('', 'Service', manifest.namespace, name);
        const ports = service ? (serviceSpec(service).ports ?? []) : [];
        if (service ? ports.some((port) => port.name === sectionName) : !/^\d+$/.test(sectionName)) continue;
        const meant = ports.find(({ port }) => `${port}` === sectionName)?.name;
        yield {
          manifest,
          field: [...field, 'sectionName'],
          what: `sectionName ${JSON.stringify(sectionName)} is ${/^\d+$/.test(sectionName) ? 'a number, and not the name of a port' : 'no port'} of Service ${manifest.namespace}/${name}${ports.length > 0 ? `, whose ports are ${ports.map((port) => `${port.name ?? '(no name)'} (${port.port})`).join(', ')}` : ''}`,
          ...(meant === undefined ? {} : { fix: `Write sectionName: ${meant}.` }),
        };
      }
    }
  },
};

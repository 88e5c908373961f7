/** Services that clients outside the cluster come to past all Gateways, by their type. */
import { labelsMatch, optionalRecord, record, strings, text, texts } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';

export interface OpenService {
  readonly host: string;
  readonly ports: readonly number[];
  readonly name: string;
  /** How it is opened, in words. */
  readonly how: string;
}

export function openServices(mesh: Mesh): readonly OpenService[] {
  return mesh.remember(mesh, 'prove: open services', () =>
    mesh.of('', 'Service').flatMap((manifest): readonly OpenService[] => {
      const how = howOpen(manifest);
      const { namespace, name } = manifest;
      const host = `${name}.${namespace}.svc.${mesh.config.clusterDomain}`;
      const [service] = mesh.services.declaring(host);
      if (how === undefined || service === undefined || isOfGateway(mesh, manifest)) return [];
      return [{ host, ports: service.ports.map(({ port }) => port), name: `${namespace}/${name}`, how }];
    }),
  );
}

function howOpen({ body }: Manifest): string | undefined {
  const { type, externalIPs } = record(body.spec);
  if (text(type) === 'LoadBalancer' || text(type) === 'NodePort') return `is of type ${text(type)}`;
  return texts(externalIPs).length > 0 ? 'has externalIPs' : undefined;
}

/** Whether it leads to a gateway, whose Pods may be in no manifest. */
function isOfGateway(mesh: Mesh, { namespace, body }: Manifest): boolean {
  const selector = strings(optionalRecord(record(body.spec).selector));
  const pods = mesh.workloads.behind({ namespace, selector });
  if (pods.length > 0) return pods.every(({ membership }) => membership === 'gateway');
  return [...mesh.gateways, ...mesh.ingresses].some(({ spec }) => {
    const asked = strings(optionalRecord(spec.selector));
    return labelsMatch(asked, selector) || (Object.keys(selector).length > 0 && labelsMatch(selector, asked));
  });
}

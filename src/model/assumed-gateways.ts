/** Gateways that routes are bound to and no manifest shows: they are in another repository, and are taken to admit what is bound to them. */
import { record, records, text, texts } from './fields';
import type { Manifest } from './manifest';
import { toManifest } from './object';

const GATEWAY_API = 'gateway.networking.k8s.io';
const ISTIO = 'networking.istio.io';

/** `Gateway.GROUP/NAMESPACE/NAME` of each Gateway that either side refers to and neither has. */
export function assumedGateways(...sides: readonly (readonly Manifest[])[]): readonly string[] {
  const all = sides.flat();
  const shown = new Set(all.filter(({ kind }) => kind === 'Gateway').map(gatewayName));
  const assumed = new Set<string>();
  const assume = (group: string, namespace: string, name: string): void => {
    const key = gatewayName({ group, namespace, name });
    if (name !== '' && !shown.has(key)) assumed.add(key);
  };
  for (const manifest of all) {
    const spec = record(record(manifest.body).spec);
    if (manifest.kind === 'VirtualService' && manifest.group === ISTIO) {
      const rules = [...records(spec.http), ...records(spec.tls), ...records(spec.tcp)];
      const named = [
        ...texts(spec.gateways),
        ...rules.flatMap((rule) => records(rule.match).flatMap((match) => texts(match.gateways))),
      ];
      for (const gateway of named) {
        const slash = gateway.indexOf('/');
        if (gateway === 'mesh') continue;
        const own = slash < 0 || gateway.startsWith('./');
        assume(ISTIO, own ? manifest.namespace : gateway.slice(0, slash), gateway.slice(slash + 1));
      }
    }
    if (manifest.group !== GATEWAY_API || !/Route$/.test(manifest.kind)) continue;
    for (const parent of records(spec.parentRefs)) {
      if ((text(parent.kind) || 'Gateway') !== 'Gateway' || (text(parent.group) || GATEWAY_API) !== GATEWAY_API)
        continue;
      assume(GATEWAY_API, text(parent.namespace) || manifest.namespace, text(parent.name));
    }
  }
  return [...assumed];
}

export function gatewayName({ group, namespace, name }: Pick<Manifest, 'group' | 'namespace' | 'name'>): string {
  return `Gateway.${group}/${namespace}/${name}`;
}

/** As a Gateway for everyone is written: plain text on 80, TLS on 443. */
export function assumedGateway(named: string, index: number): Manifest {
  const [kind = '', namespace = '', name = ''] = named.split('/');
  const body = {
    kind: 'Gateway',
    metadata: { namespace, name },
    ...(kind === `Gateway.${GATEWAY_API}` ? ofTheApi : ofIstio(name)),
  };
  return toManifest(body, index, {}, () => undefined);
}

function ofIstio(name: string): object {
  return {
    apiVersion: `${ISTIO}/v1`,
    spec: {
      selector: { 'mesh-edge/assumed': name },
      servers: [
        { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] },
        {
          port: { number: 443, name: 'https', protocol: 'HTTPS' },
          hosts: ['*'],
          tls: { mode: 'SIMPLE', credentialName: 'assumed' },
        },
      ],
    },
  };
}

const ofTheApi = {
  apiVersion: `${GATEWAY_API}/v1`,
  spec: {
    gatewayClassName: 'istio',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
  },
};

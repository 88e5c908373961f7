/** Gateways that routes are bound to and no manifest shows: they are in another repository, and are taken to admit what is bound to them. */
import { record, records, text, texts } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { toManifest } from '../model/object';

const GATEWAY_API = 'gateway.networking.k8s.io';

/** A Gateway for each reference of either side to one that neither side has. */
export function assumedGateways(...sides: readonly (readonly Manifest[])[]): readonly Manifest[] {
  const all = sides.flat();
  const shown = new Set(
    all.filter(({ kind }) => kind === 'Gateway').map((one) => `${one.group} ${one.namespace}/${one.name}`),
  );
  const assumed = new Map<string, Manifest>();
  const assume = (group: string, namespace: string, name: string): void => {
    const key = `${group} ${namespace}/${name}`;
    if (name === '' || shown.has(key) || assumed.has(key)) return;
    const body = {
      kind: 'Gateway',
      metadata: { namespace, name },
      ...(group === GATEWAY_API ? ofTheApi : ofIstio(name)),
    };
    assumed.set(
      key,
      toManifest(body, all.length + assumed.size, {}, () => undefined),
    );
  };
  for (const manifest of all) {
    const spec = record(record(manifest.body).spec);
    if (manifest.kind === 'VirtualService' && manifest.group === 'networking.istio.io') {
      const rules = [...records(spec.http), ...records(spec.tls), ...records(spec.tcp)];
      const named = [
        ...texts(spec.gateways),
        ...rules.flatMap((rule) => records(rule.match).flatMap((match) => texts(match.gateways))),
      ];
      for (const gateway of named) {
        const slash = gateway.indexOf('/');
        if (gateway === 'mesh') continue;
        const own = slash < 0 || gateway.startsWith('./');
        assume('networking.istio.io', own ? manifest.namespace : gateway.slice(0, slash), gateway.slice(slash + 1));
      }
    }
    if (manifest.group !== GATEWAY_API || !/Route$/.test(manifest.kind)) continue;
    for (const parent of records(spec.parentRefs)) {
      if ((text(parent.kind) || 'Gateway') !== 'Gateway' || (text(parent.group) || GATEWAY_API) !== GATEWAY_API)
        continue;
      assume(GATEWAY_API, text(parent.namespace) || manifest.namespace, text(parent.name));
    }
  }
  return [...assumed.values()];
}

/** As a Gateway for everyone is written: plain text on 80, TLS on 443. */
function ofIstio(name: string): object {
  return {
    apiVersion: 'networking.istio.io/v1',
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

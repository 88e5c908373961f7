import * as fs from 'node:fs';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { built } from '../lab/build';
import { readYaml } from '../lab/controlplane';
import { sh } from '../lab/process';
import { DIST, type Mesh } from './mesh';

const NAMESPACE = 'envoy-gateway-system';

/** What Envoy Gateway's own chart renders with the values that a scenario of `dist/` has for it. */
export async function envoyGatewayChart(scenario: string): Promise<readonly KubeObject[]> {
  const values = path.join(DIST, scenario, 'install', 'envoy-gateway-values.yaml');
  if (!fs.existsSync(values)) throw new Error(`dist/${scenario} has no values for Envoy Gateway's chart`);
  const chart = built('envoy-gateway', 'chart.tgz');
  const rendered = await sh([built('helm', 'helm'), 'template', 'eg', chart, '--namespace', NAMESPACE, '-f', values]);
  // The chart leaves the namespace of some objects to helm.
  return readYaml(rendered).map((object) =>
    isClusterWide(object) ? object : { ...object, metadata: { namespace: NAMESPACE, ...object.metadata } },
  );
}

const isClusterWide = ({ kind }: KubeObject) =>
  ['ClusterRole', 'ClusterRoleBinding', 'MutatingWebhookConfiguration', 'Namespace'].includes(kind);

/** The Pod and the outside address of the proxy that Envoy Gateway runs for a Gateway. */
export interface EnvoyGatewayProxy {
  readonly pod: string;
  readonly address: string;
}

/** Finds the proxy of a Gateway once it is there. */
export async function proxyOf(mesh: Mesh, gateway: string): Promise<EnvoyGatewayProxy> {
  const services = await mesh.lab.api.list({ apiVersion: 'v1', kind: 'Service' });
  const service = services.find(
    ({ metadata }) => metadata.labels?.['gateway.envoyproxy.io/owning-gateway-name'] === gateway,
  );
  if (!service) throw new Error(`Envoy Gateway has made no Service for Gateway ${gateway} yet`);
  const status = service.status as { loadBalancer?: { ingress?: readonly { ip: string }[] } };
  const address = status.loadBalancer?.ingress?.[0]?.ip;
  if (address === undefined) throw new Error(`Service ${service.metadata.name} has no outside address yet`);
  return { pod: `${NAMESPACE}/${service.metadata.name}`, address };
}

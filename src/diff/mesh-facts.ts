import { canonical } from '../model/canonical';
import { settingsOf } from '../model/envoy-gateway-settings';
import type { MeshConfig } from '../model/mesh-config';
import type { Mesh } from '../model/mesh';

/** What the mesh configuration says, and the gateways that an installation brings. */
export function meshFacts(mesh: Mesh): string {
  const { revisions, ...config } = withoutSource(mesh.config);
  const ofRevisions = [[...revisions.tags], mesh.ofRevisions().map(([name, own]) => [name, withoutSource(own)])];
  const ofEnvoyGateway = settingsOf(mesh).map(({ body }) => body);
  return canonical([
    config,
    ofRevisions,
    ofEnvoyGateway,
    [...mesh.installedGateways.keys()].sort(),
    installedPorts(mesh),
  ]);
}

function withoutSource({ outboundFrom: _from, ...config }: MeshConfig): Omit<MeshConfig, 'outboundFrom'> {
  return config;
}

function installedPorts(mesh: Mesh): unknown {
  return mesh.services.all
    .filter((service) => service.assumed)
    .map((service) => [service.host, service.ports.map((port) => [port.port, port.target]), service.selector]);
}

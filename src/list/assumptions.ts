/** What the register takes for true without having seen it, in sentences. */
import { textOfLeftOut } from '../model/left-out';
import { serversOf } from '../model/merged-gateway';
import type { MeshConfig } from '../model/mesh-config';
import type { Mesh } from '../model/mesh';
import { isAmbientAlone } from '../traffic/clients';
import { openServices } from '../traffic/open-services';

/** Said once for all of them. */
export const UNSHOWN_INJECT = 'Namespaces that no manifest shows inject sidecars.';

export function assumptionsOf(mesh: Mesh): readonly string[] {
  const { config } = mesh;
  const of = (say: (settings: MeshConfig) => string): string =>
    [
      say(config),
      ...mesh
        .ofRevisions()
        .filter(([, own]) => say(own) !== say(config))
        .map(([name, own]) => `for revision ${name} ${say(own)}`),
    ].join(', ');
  const passing = mesh.gateways.filter((gateway) =>
    serversOf(gateway).some(({ tls }) => tls?.mode === 'AUTO_PASSTHROUGH'),
  );
  return [
    'The manifests are all that the mesh has; nothing was sent, and no cluster was asked.',
    `Outbound traffic to unknown hosts: ${of(({ outbound }) => outbound)}.`,
    `Root namespace ${config.rootNamespace}, trust domain ${of(({ trustDomain }) => trustDomain)}, cluster domain ${config.clusterDomain}.`,
    ...(config.compatibilityVersion === ''
      ? []
      : [
          `Istio is asked for the defaults of ${config.compatibilityVersion} (compatibilityVersion); of these, those that decide about requests are followed.`,
        ]),
    'Workloads that no proxy captures are not in the register: only a NetworkPolicy or a firewall keeps them from going out by themselves.',
    'Requests are those of docs/every-request.md: well-formed, and sent by one client at a time.',
    ...(isAmbientAlone([mesh])
      ? ['Namespaces that no manifest shows are in ambient mode, as those are that manifests show.']
      : []),
    ...openServices(mesh).map(
      ({ name, how }) =>
        `Service ${name} ${how}: clients outside come to it past all Gateways, and are not in the register.`,
    ),
    ...mesh.leftOut.map((one) => `${textOfLeftOut(one)}.`),
    ...passing.map(
      ({ namespace, name }) =>
        `Nobody but proxies of the mesh says the ALPN of the mesh and the SNI of a cluster at Gateway ${namespace}/${name}, which passes that on to the Service (AUTO_PASSTHROUGH).`,
    ),
  ];
}

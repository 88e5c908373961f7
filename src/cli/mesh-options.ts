/** `--outbound`, `--root-namespace`, `--trust-domain`, `--istio-version`: one wording for every command that takes them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { MeshOptions } from '../model/mesh-options';

export function addMeshOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--outbound <mode>',
        'outboundTrafficPolicy of the mesh, if no manifest says it (Istio: ALLOW_ANY)',
      ).choices(['REGISTRY_ONLY', 'ALLOW_ANY']),
    )
    .option('--root-namespace <namespace>', 'root namespace of the mesh (Istio: istio-system)', namespace)
    .option('--trust-domain <domain>', 'trust domain of the mesh (Istio: cluster.local)')
    .option('--istio-version <version>', 'version of Istio that the manifests are for', version);
}

/** The mesh options among those that commander parsed. */
export function meshOptionsOf(options: MeshOptions): MeshOptions {
  const { outbound, rootNamespace, trustDomain, istioVersion } = options;
  return {
    ...(outbound === undefined ? {} : { outbound }),
    ...(rootNamespace === undefined ? {} : { rootNamespace }),
    ...(trustDomain === undefined ? {} : { trustDomain }),
    ...(istioVersion === undefined ? {} : { istioVersion }),
  };
}

function namespace(value: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value))
    throw new InvalidArgumentError('It is no name of a namespace.');
  return value;
}

function version(value: string): string {
  if (!/^v?1\.\d+(\.\d+)?([-+].*)?$/.test(value)) throw new InvalidArgumentError('Write it as 1.29 or 1.29.1.');
  return value.replace(/^v/, '');
}

/** `--outbound`, `--root-namespace`, `--trust-domain`, `--istio-version` and the other releases: one wording for every command that takes them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { MeshOptions } from '../model/mesh-options';

const OTHERWISE = '(else found among the manifests, else the newest modelled)';

export function addMeshOptions(command: Command): Command {
  return addReleaseOptions(addInstallOptions(command));
}

/** What an installation is told, besides its release. */
export function addInstallOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--outbound <mode>',
        'outboundTrafficPolicy of the mesh, if no manifest says it (Istio: ALLOW_ANY)',
      ).choices(['REGISTRY_ONLY', 'ALLOW_ANY']),
    )
    .option('--root-namespace <namespace>', 'root namespace of the mesh (Istio: istio-system)', namespace)
    .option('--trust-domain <domain>', 'trust domain of the mesh (Istio: cluster.local)');
}

function addReleaseOptions(command: Command): Command {
  return command
    .option('--istio-version <version>', `release of Istio that the manifests are for ${OTHERWISE}`, version)
    .option(
      '--gateway-api-version <version>',
      `the same of Gateway API, as 1.4 or 1.4/experimental ${OTHERWISE}`,
      gatewayApi,
    )
    .option('--envoy-gateway-version <version>', `the same of Envoy Gateway ${OTHERWISE}`, version)
    .option('--kubernetes-version <version>', `the same of Kubernetes ${OTHERWISE}`, version);
}

/** The same releases as ranges, for a change of them: `1.29..1.32`, or the new one alone. */
export function addReleaseRanges(command: Command): Command {
  const range =
    (one: (value: string) => string) =>
    (value: string): string =>
      value.split('..').map(one).slice(0, 2).join('..');
  return command
    .option('--istio-version <old..new>', 'change of the release of Istio, as 1.29..1.32', range(version))
    .option(
      '--gateway-api-version <old..new>',
      'the same of Gateway API, as 1.4..1.7, or with /experimental',
      range(gatewayApi),
    )
    .option('--envoy-gateway-version <old..new>', 'the same of Envoy Gateway', range(version))
    .option('--kubernetes-version <old..new>', 'the same of Kubernetes', range(version));
}

/** Both sides of a change of releases: what a range leaves out on its left is found among the manifests. */
export function releaseSides(options: MeshOptions): readonly [MeshOptions, MeshOptions] {
  const { istioVersion, gatewayApiVersion, envoyGatewayVersion, kubernetesVersion, ...rest } = meshOptionsOf(options);
  const given = Object.entries({ istioVersion, gatewayApiVersion, envoyGatewayVersion, kubernetesVersion }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const was = given.filter(([, value]) => value.includes('..')).map(([name, value]) => [name, value.split('..')[0]]);
  const is = given.map(([name, value]) => [name, value.split('..').at(-1)]);
  return [
    { ...rest, ...Object.fromEntries(was) },
    { ...rest, ...Object.fromEntries(is) },
  ] as [MeshOptions, MeshOptions];
}

/** The mesh options among those that commander parsed. */
export function meshOptionsOf(options: MeshOptions): MeshOptions {
  const names = [
    'outbound',
    'rootNamespace',
    'trustDomain',
    'istioVersion',
    'gatewayApiVersion',
    'envoyGatewayVersion',
    'kubernetesVersion',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined));
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

function gatewayApi(value: string): string {
  if (!/^v?1\.\d+(\.\d+)?([-+][^/]*)?(\/(standard|experimental))?$/.test(value))
    throw new InvalidArgumentError('Write it as 1.4, or 1.4/experimental.');
  return value.replace(/^v/, '').replace(/\/standard$/, '');
}

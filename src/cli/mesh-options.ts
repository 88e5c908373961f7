/** `--outbound`, `--root-namespace`, `--trust-domain`, `--istio-version` and the other releases: one wording for every command that takes them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { MeshOptions } from '../model/mesh-options';
import { configuration } from './configuration';

/** What commander parses of these options. */
export interface MeshFlags extends MeshOptions {
  readonly config?: string;
}

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
    .option('--trust-domain <domain>', 'trust domain of the mesh (Istio: cluster.local)')
    .option(
      '--config <file>',
      'what holds for all commands: releases, mesh options, suppressions (default: mesh-edge.yaml in this folder, if there is one)',
    );
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
    (value: string): string => {
      const releases = value.split('..');
      if (releases.length > 2 || releases.includes(''))
        throw new InvalidArgumentError('Write it as OLD..NEW, or NEW alone.');
      return releases.map(one).join('..');
    };
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
export async function releaseSides(options: MeshFlags): Promise<readonly [MeshOptions, MeshOptions]> {
  const { mesh } = await configuration(options.config);
  const { istioVersion, gatewayApiVersion, envoyGatewayVersion, kubernetesVersion, ...rest } = given(options);
  const changes = Object.entries({ istioVersion, gatewayApiVersion, envoyGatewayVersion, kubernetesVersion }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const was = changes.filter(([, value]) => value.includes('..')).map(([name, value]) => [name, value.split('..')[0]]);
  const is = changes.map(([name, value]) => [name, value.split('..').at(-1)]);
  return [
    { ...mesh, ...rest, ...Object.fromEntries(was) },
    { ...mesh, ...rest, ...Object.fromEntries(is) },
  ] as [MeshOptions, MeshOptions];
}

/** The mesh options among those that commander parsed; what is left out is as the configuration file says. */
export async function meshOptionsOf(options: MeshFlags): Promise<MeshOptions> {
  const { mesh } = await configuration(options.config);
  return { ...mesh, ...given(options) };
}

function given(options: MeshOptions): MeshOptions {
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

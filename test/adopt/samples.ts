/** What the projects publish as examples, each file as somebody would adopt it; and the worlds of Envoy Gateway's own tests. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { moduleFiles } from '../../scripts/go-modules';
import { record, type Json } from '../../src/model/fields';
import { load, loadObjects } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import { COMPONENTS, type Component } from '../../src/model/releases';
import { translatedWorlds } from '../envoy-gateway-testdata/worlds';

export interface Sample {
  readonly of: string;
  readonly name: string;
  readonly manifests: readonly Manifest[];
}

/** The source of Istio itself: its API's module has no samples. */
const ISTIO = { module: 'istio.io/istio', version: 'v0.0.0-20260827124520-eed52ebb66ad' };

const newest = (component: Component): { readonly module: string; readonly version: string } => {
  const { module, releases } = COMPONENTS[component];
  return { module, version: releases[0]?.schemas ?? '' };
};

const FOLDERS = [
  { of: "Istio's samples", ...ISTIO, path: 'samples' },
  { of: "Gateway API's examples", ...newest('gatewayApi'), path: 'examples' },
  { of: "Envoy Gateway's examples", ...newest('envoyGateway'), path: 'examples' },
];

export function* samples(): Generator<Sample> {
  for (const { of, module, version, path } of FOLDERS) {
    const root = moduleFiles(module, version, path);
    for (const file of yamlFiles(root)) {
      const manifests = read(join(root, file));
      if (manifests.length > 0) yield { of, name: file, manifests };
    }
  }
  const release = COMPONENTS.envoyGateway.releases[0]?.name ?? '';
  for (const { name, objects } of translatedWorlds(release))
    yield {
      of: "Envoy Gateway's tests",
      name,
      manifests: loadObjects(objects.filter((one) => !isAdded(one))).manifests,
    };
}

/** The class and the installation that the tests add to every world. */
const isAdded = ({ kind, metadata }: Json): boolean => kind === 'EnvoyGateway' || (kind === 'GatewayClass' && record(metadata).name === 'envoy-gateway-class'); // prettier-ignore

function yamlFiles(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .sort();
}

/** Templates of charts, values and other files that hold no object are none of ours. */
function read(file: string): readonly Manifest[] {
  try {
    return load([file]).manifests;
  } catch {
    return [];
  }
}

/** Values of charts that an app writes beside its manifests (`IstioInstall`, `EnvoyGatewayInMesh`): cdk8s-cli names the manifests alone. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Files with values, below the folders that the manifests are in. */
export function valuesBeside(manifests: readonly string[]): readonly string[] {
  const folders = [...new Set(manifests.map((file) => dirname(file)))].filter((folder) => folder !== '.');
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.values') && !name.split(/[\\/]/).includes('node_modules'))
      .map((name) => join(folder, name)),
  );
  return [...new Set(files)].sort();
}

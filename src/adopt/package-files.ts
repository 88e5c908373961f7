/** What makes a folder of TypeScript a cdk8s project: its packages, how it is synthesized, and how its types are checked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of a project that is written for its user. */
export interface ProjectFile {
  /** Relative to the folder that is written to. */
  readonly path: string;
  readonly text: string;
  /** Whether one that is there already is kept: it is the user's project. */
  readonly isKept?: boolean;
}

/**
 * tsx looks at no types, and cdk8s-cli shows standard error alone. cdk8s-cli deletes `output` before the app runs, so that is not the folder that is
 * committed.
 */
const CDK8S = 'language: typescript\napp: tsc >&2 && tsx main.ts\noutput: .cdk8s-staging\n';

const COMPILER = { target: 'es2022', module: 'nodenext', strict: true, skipLibCheck: true, noEmit: true, types: [] };

/** Each is kept where there is one already. @param manifests the folders that the program writes, each a mesh of its own */
export function packageFiles(manifests: readonly string[] = ['dist']): readonly ProjectFile[] {
  return [
    { path: 'package.json', text: packageFile(manifests), isKept: true },
    { path: 'tsconfig.json', text: json({ compilerOptions: COMPILER, include: ['**/*.ts'] }), isKept: true },
    { path: 'cdk8s.yaml', text: CDK8S, isKept: true },
  ];
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

function packageFile(manifests: readonly string[]): string {
  // Two folders up both in the sources and in `lib/cli`.
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  const { version, peerDependencies, devDependencies } = JSON.parse(text) as {
    readonly version: string;
    readonly peerDependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const newer = (name: 'cdk8s-cli' | 'tsx' | 'typescript'): string => `^${devDependencies[name]}`;
  return json({
    name: 'mesh-edge',
    private: true,
    scripts: { synth: 'cdk8s synth', check: manifests.map((one) => `mesh-edge check ${one}`).join(' && ') },
    dependencies: { ...peerDependencies, 'cdk8s-mesh-edge': `^${version}` },
    devDependencies: { 'cdk8s-cli': newer('cdk8s-cli'), tsx: newer('tsx'), typescript: newer('typescript') },
  });
}

/**
 * `npm run accuracy:check`: measures `mesh-edge check` against what others have written, read from the Go module cache,
 * and writes the numbers into docs/accuracy/check.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { check } from '../src/check/check';
import type { Finding } from '../src/check/finding';
import { load } from '../src/model/load';
import { celCases } from '../test/cel-validation/cases';
import { answer } from '../test/cel-validation/compare';
import { LAB_RELEASES } from '../test/lab/versions';

const ROOT = resolve(__dirname, '..');
const ISTIO = 'istio.io/istio@v0.0.0-20260306174214-6991a379e1fc';
const GATEWAY_API = 'sigs.k8s.io/gateway-api@v1.4.0';
const ENVOY_GATEWAY = 'github.com/envoyproxy/gateway@v1.7.0';

/** Messages of Istio's analyzers that are not about what crosses the edge, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  AlphaAnnotation: 'the age of an annotation',
  Deprecated: 'a field that still works',
  DeprecatedAnnotation: 'an annotation that still works',
  InvalidAnnotation: 'annotations of Istio in general',
  MisplacedAnnotation: 'annotations of Istio in general',
  UnknownAnnotation: 'annotations of Istio in general',
  InvalidExternalControlPlaneConfig: 'the control plane itself',
  InvalidWebhook: 'the control plane itself',
  IstioProxyImageMismatch: 'versions of a running cluster',
  ImageAutoWithoutInjectionWarning: 'found for gateways (EDGE605)',
  ImageAutoWithoutInjectionError: 'found for gateways (EDGE605)',
  JwtFailureDueToInvalidServicePortPrefix: 'names of ports inside the mesh',
  PortNameIsNotUnderNamingConvention: 'names of ports inside the mesh',
  DeploymentAssociatedToMultipleServices: 'Services inside the mesh',
  DeploymentRequiresServiceAssociated: 'Services inside the mesh',
  DeploymentConflictingPorts: 'Services inside the mesh',
  MultiClusterInconsistentService: 'several clusters',
  UnknownMeshNetworksServiceRegistry: 'several clusters',
  ExternalNameServiceTypeInvalidPortName:
    'ports of an ExternalName Service count for nothing since 1.21, named or not; what does is EDGE906',
  InvalidApplicationUID: 'users of containers',
  VirtualServiceReferencesInternalGateway: 'refused by the webhook (EDGE102)',
  LocalhostListener: 'a running cluster',
  ConflictingTelemetryWorkloadSelectors: 'selectors that meet on running pods',
  PodsIstioProxyImageMismatchInNamespace: 'versions of a running cluster',
  NegativeConditionStatus: 'what controllers wrote into the status of running objects, which no manifest has',
  ExternalControlPlaneAddressIsNotAHostname: 'the control plane itself',
};

/** Messages about the edge on which check is silent on purpose, and why. */
const ON_PURPOSE: Readonly<Record<string, string>> = {
  ConflictingGateways:
    'the two servers that are missed speak different protocols, which the lab shows as one listener left out: told only where a request needs it',
  DestinationRuleSubsetNotSelectPods: 'no pods are shown, or the labels are of the topology, which nodes have',
  NamespaceInjectionEnabledByDefault: 'a namespace without a label may be injected by an installation that says so',
  NamespaceNotInjected: 'a namespace outside the mesh is no fault',
  PodMissingProxy: 'pods in manifests get their proxy when they are admitted',
  UnknownDestinationRuleHost: 'no manifest shows any Service of that namespace: it may be in another repository',
};

interface Expected {
  readonly test: string;
  readonly files: readonly string[];
  readonly message: string;
  readonly kind: string;
  readonly name: string;
}

function modules(): string {
  return execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim();
}

/** Reads the table of analyzers_test.go as text: names, files, and messages with the objects that they are about. */
function expectations(folder: string): Expected[] {
  const source = readFileSync(join(folder, 'analyzers_test.go'), 'utf8');
  return source.split(/\n\t\{\n/).flatMap((block) => {
    const test = /name:\s*"([^"]+)"/.exec(block)?.[1];
    const inputs = /inputFiles:\s*\[\]string\{([^}]*)\}/.exec(block)?.[1];
    if (test === undefined || inputs === undefined || /skipAll:\s*true/.test(block)) return [];
    const files = [...inputs.matchAll(/"([^"]+)"/g)].map(([, file = '']) => join(folder, file));
    return [...block.matchAll(/^\s*\{msg\.(\w+), "(\S+) ([^"]+)"\}/gm)].map(
      ([, message = '', kind = '', name = '']): Expected => ({
        test,
        files,
        message,
        kind,
        name: name.split('/').at(-1) ?? '',
      }),
    );
  });
}

function findingsOf(paths: readonly string[]): readonly Finding[] {
  const there = paths.filter((path) => existsSync(path));
  try {
    return there.length === 0 ? [] : check(load(there), LAB_RELEASES).findings;
  } catch {
    return [];
  }
}

function analyzers(cache: string): string[] {
  const all = expectations(join(cache, ISTIO, 'pkg/config/analysis/analyzers'));
  const found = new Map<string, { wanted: number; said: number; missed: string[] }>();
  const seen = new Map<string, readonly Finding[]>();
  for (const { files, message, kind, name, test } of all) {
    const key = files.join();
    if (!seen.has(key)) seen.set(key, findingsOf(files));
    const said = (seen.get(key) ?? []).some(
      ({ object, id, what }) =>
        id !== 'EDGE005' &&
        ((object?.kind === kind && object.name === name) ||
          new RegExp(`\\b${kind} (\\S+/)?${name}\\b(?!-)`).test(what)),
    );
    const entry = found.get(message) ?? { wanted: 0, said: 0, missed: [] };
    entry.wanted += 1;
    if (said) entry.said += 1;
    else entry.missed.push(`${test} (${kind} ${name})`);
    found.set(message, entry);
  }
  const ours = [...found].filter(([message]) => ELSEWHERE[message] === undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  const wanted = ours.reduce((sum, [, entry]) => sum + entry.wanted, 0);
  const said = ours.reduce((sum, [, entry]) => sum + entry.said, 0);
  const others = [...found]
    .filter(([message]) => ELSEWHERE[message] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    "### Recall: the test data of Istio's own analyzers",
    '',
    `Of ${wanted} messages about the edge that Istio's tests expect, offline or in a cluster, check says something of the same object, or names it as the other side of a conflict, in **${said}** (${Math.round((100 * said) / wanted)} %).`,
    '',
    '| Message | expected | found | not found |',
    '|---|---|---|---|',
    ...ours.map(
      ([message, entry]) =>
        `| ${message} | ${entry.wanted} | ${entry.said} | ${[...new Set(entry.missed)].slice(0, 4).join('; ')}${entry.missed.length > 4 ? '; ...' : ''}${entry.missed.length > 0 && ON_PURPOSE[message] ? `. On purpose: ${ON_PURPOSE[message]}` : ''} |`,
    ),
    '',
    `Left out: ${others.map(([message, entry]) => `${message} (${entry.wanted}: ${ELSEWHERE[message]})`).join(', ')}.`,
    '',
  ];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesUnder(path) : /\.ya?ml$/.test(name) ? [path] : [];
    });
}

function refused(cache: string): string[] {
  const folder = join(cache, GATEWAY_API, 'hack/invalid-examples');
  const files = filesUnder(folder);
  const missed = files.filter((file) => !findingsOf([file]).some(({ severity }) => severity === 'error'));
  return [
    "### Recall: Gateway API's invalid examples",
    '',
    `${files.length - missed.length} of ${files.length} are refused${missed.length > 0 ? `; not: ${missed.map((file) => file.slice(folder.length + 1)).join(', ')}` : ''}.`,
    '',
  ];
}

async function refusedByCel(): Promise<string[]> {
  const cases = await celCases((line) => process.stderr.write(`${line}\n`));
  const counts = new Map<string, { taken: number; refused: number; alike: number }>();
  const different: string[] = [];
  for (const { test, isToBeRefused, difference } of cases.map(answer)) {
    const [name = ''] = test.split('/');
    const own = counts.get(name) ?? { taken: 0, refused: 0, alike: 0 };
    own[isToBeRefused ? 'refused' : 'taken'] += 1;
    if (difference === undefined) own.alike += 1;
    else different.push(`- ${test}: ${difference}`);
    counts.set(name, own);
  }
  return [
    "### Recall: Envoy Gateway's CEL tests",
    '',
    "What the Go tests of `test/cel-validation` create, and the parts of the API server's answer that they wait for: written down while those tests run without an API server, and given to the schema and CEL rules of check. Alike: taken where it is taken, refused in the same words where it is refused.",
    '',
    '| Test | taken | refused | alike |',
    '|---|---|---|---|',
    ...[...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { taken, refused, alike }]) => `| ${name} | ${taken} | ${refused} | ${alike} |`),
    '',
    ...different,
    ...(different.length > 0 ? [''] : []),
  ];
}

function falseAlarms(cache: string): string[] {
  const rows: string[] = [];
  const sets: readonly [string, string, string][] = [
    ["Istio's samples", join(cache, ISTIO, 'samples'), 'each file by itself'],
    ["Gateway API's conformance manifests", join(cache, GATEWAY_API, 'conformance'), 'each file by itself'],
    ["Gateway API's examples", join(cache, GATEWAY_API, 'examples'), 'each file by itself'],
    ["Envoy Gateway's examples", join(cache, ENVOY_GATEWAY, 'examples'), 'each file by itself'],
    ['The scenarios of this repository', join(ROOT, 'dist'), 'each folder by itself'],
  ];
  for (const [name, folder, how] of sets) {
    if (!existsSync(folder)) continue;
    const inputs = how.startsWith('each file')
      ? filesUnder(folder)
      : readdirSync(folder)
          .map((entry) => join(folder, entry))
          .filter((path) => statSync(path).isDirectory());
    const errors = inputs.flatMap((input) =>
      findingsOf([input])
        .filter(({ severity }) => severity === 'error')
        .map((finding) => ({ finding, input: input.slice(folder.length + 1) })),
    );
    const shown = errors.map(({ finding, input }) => `${finding.id} in ${input}`);
    rows.push(`| ${name} | ${inputs.length} | ${errors.length} | ${[...new Set(shown)].join('; ')} |`);
  }
  return [
    '### False alarms',
    '',
    'Errors only, on manifests that their authors hold to be right (the conformance manifests have some that are meant to be wrong).',
    '',
    '| Manifests | inputs | errors | which |',
    '|---|---|---|---|',
    ...rows,
    '',
  ];
}

async function main(): Promise<void> {
  const cache = modules();
  const section = [...analyzers(cache), ...refused(cache), ...(await refusedByCel()), ...falseAlarms(cache)].join('\n');
  const file = join(ROOT, 'docs/accuracy/check.md');
  const text = readFileSync(file, 'utf8');
  const block = `<!-- check -->\n\n${section}\n<!-- end of check -->`;
  const made = text.includes('<!-- check -->')
    ? text.replace(/<!-- check -->[\s\S]*<!-- end of check -->/, () => block)
    : `${text.trimEnd()}\n\n## Check against what others have written\n\n\`npm run accuracy:check\` reads the manifests from the Go module cache (\`go mod download ${ISTIO}\`, and likewise ${GATEWAY_API} and ${ENVOY_GATEWAY}) and writes what follows.\n\n${block}\n`;
  writeFileSync(file, made);
}

void main();

/**
 * `npm run lint:fields`: whether each field of a manifest that the reading half reads by name is one that a schema of some release has, or one of a
 * format without a schema here (`FORMATS`). A name that is neither is misspelt, or new, and a name in the table that nobody reads is stale.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { schemaIn, versionsIn } from '../src/check/schema/store';
import { releaseNames, serverOf } from '../src/model/releases';

const ROOT = resolve(__dirname, '..');
const SCHEMAS = join(ROOT, 'src', 'check', 'schemas');
/** Rooms that read manifests; what `verify` reads is Envoy's own configuration. */
const ROOMS = ['adopt', 'check', 'diff', 'list', 'model', 'prove', 'trace', 'traffic', 'upgrade'];

/** Names in formats that have no schema here. */
const FORMATS: Readonly<Record<string, string>> = {
  "Istio's MeshConfig and installations":
    'meshConfig meshNetworks mesh k8s components pilot profile tag egressGateways ingressGateways label revisionTags extensionProviders envoyExtAuthzHttp envoyExtAuthzGrpc ingressControllerMode enableAutoMtls rootNamespace istioNamespace trustDomain trustDomainAliases defaultServiceExportTo defaultVirtualServiceExportTo defaultDestinationRuleExportTo ingressClass ingressSelector ingressService discoverySelectors defaultConfig pathNormalization normalization proxyMetadata interceptionMode gatewayTopology defaultProviders',
  "Envoy Gateway's configuration and values":
    'extensionApis gatewayAPI deploy envoyGateway envoyProxy extensionManager enableLua disableLua redis',
  'Status of Pods and Nodes': 'containerStatuses podIP podIPs nodeInfo kubeletVersion',
  CustomResourceDefinitions: 'names versions served schema openAPIV3Schema',
  'JSON Web Tokens and their keys': 'alg kid aud iss nbf exp keys k',
  "Envoy's configuration":
    '@type type_url typed_config typed_per_filter_config cluster_type port_value transport_socket common_tls_context tls_params filter_chain_match',
  Kustomize:
    'patches patchesStrategicMerge patchesJson6902 replacements configurations crds helmCharts valuesFile additionalValuesFiles configMapGenerator secretGenerator files images pairs allowNameChange allowKindChange delimiter index select reject fieldPaths fieldpath literals varReference nameReference fieldSpecs commonLabels labelWithoutSelector',
  'Argo CD, Flux and Helm':
    'appVersion dependencies releases valuesFrom repoURL chart ref semver targetRevision valuesObject helm targetNamespace sourceRef valuesFiles valueFiles releaseName recurse include exclude goTemplate templatePatch generators elementsYaml elements directories jsonnet commonMetadata postBuild substitute substituteFrom dependsOn',
  'Props of constructs, as adopt writes them': 'mirrorTo tokens',
  'What makes Secrets':
    'sops externalSecretSpec externalSecretName managedSecret managedSecretReference managedKubeSecretReferences secretNamespace secretTemplates secretTemplate secretObjects output writeConnectionSecretToRef',
};

/** Names of fields in all schemas of all releases. */
function namesInSchemas(): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) return value.forEach(walk);
    const { properties } = value as { readonly properties?: unknown };
    if (typeof properties === 'object' && properties !== null) for (const name of Object.keys(properties)) names.add(name); // prettier-ignore
    Object.values(value).forEach(walk);
  };
  walk(JSON.parse(readFileSync(join(SCHEMAS, 'definitions.json'), 'utf8')));
  for (const folder of readdirSync(SCHEMAS, { withFileTypes: true })) {
    if (!folder.isDirectory()) continue;
    const group = folder.name === 'core' ? '' : folder.name;
    for (const file of readdirSync(join(SCHEMAS, folder.name))) {
      const kind = file.replace(/(\.older)?\.json$/, '');
      for (const release of releaseNames(serverOf(group)))
        for (const version of versionsIn(release, group, kind)) walk(schemaIn(release, { group, version, kind }));
    }
  }
  return names;
}

/** Whether a type is that of an object of which nothing is known. */
function isOpen(type: ts.Type, checker: ts.TypeChecker): boolean {
  return /^(Json( \| undefined)?|Readonly<Record<string, (unknown|never)>>)$/.test(checker.typeToString(type));
}

/** Each name that is read of such an object, with where that is. */
function namesRead(): ReadonlyMap<string, readonly string[]> {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config as unknown;
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const files = fileNames.filter((file) =>
    ROOMS.some((room) => resolve(file).startsWith(join(ROOT, 'src', room) + '/')),
  );
  const program = ts.createProgram(files, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const found = new Map<string, string[]>();
  const visit = (node: ts.Node): void => {
    const names = ts.isPropertyAccessExpression(node)
      ? isOpen(checker.getTypeAtLocation(node.expression), checker)
        ? [node.name.text]
        : []
      : ts.isObjectBindingPattern(node) && isOpen(checker.getTypeAtLocation(node), checker)
        ? node.elements.flatMap(({ dotDotDotToken, propertyName, name }) => dotDotDotToken === undefined ? [(propertyName ?? name).getText().replace(/^'|'$/g, '')] : []) // prettier-ignore
        : [];
    for (const name of names) {
      const source = node.getSourceFile();
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      const at = `${relative(ROOT, source.fileName)}:${line + 1}`;
      found.set(name, [...(found.get(name) ?? []), at]);
    }
    ts.forEachChild(node, visit);
  };
  const own = new Set(files.map((file) => resolve(file)));
  for (const source of program.getSourceFiles()) if (own.has(resolve(source.fileName))) visit(source);
  return found;
}

function main(): number {
  const schemas = namesInSchemas();
  const read = namesRead();
  const others = new Set(Object.values(FORMATS).flatMap((names) => names.split(' ')));
  const unknown = [...read].filter(([name]) => !schemas.has(name) && !others.has(name));
  const stale = [...others].filter((name) => !read.has(name) || schemas.has(name));
  for (const [name, at] of unknown) console.log(`${name}: no schema has it (${at.join(', ')})`);
  for (const name of stale) console.log(`${name}: ${read.has(name) ? 'a schema has it' : 'nobody reads it'}, and it is listed as one without a schema`); // prettier-ignore
  const reads = [...read.values()].reduce((sum, at) => sum + at.length, 0);
  console.log(`${reads} reads of ${read.size} names, ${[...read.keys()].filter((name) => schemas.has(name)).length} of them in schemas`); // prettier-ignore
  return unknown.length + stale.length > 0 ? 1 : 0;
}

process.exit(main());

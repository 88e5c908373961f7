/** The JSON schema of mesh-edge.yaml, for editors; shipped as mesh-edge.schema.json. */
import { MESH } from './configuration';

const texts = (description: string, example: readonly string[]): object => ({
  description,
  type: 'array',
  items: { type: 'string', minLength: 1 },
  examples: [example],
});

const MESH_DESCRIPTIONS: Readonly<Record<keyof typeof MESH, string>> = {
  outbound: 'outboundTrafficPolicy of the mesh, if no manifest says it',
  rootNamespace: 'root namespace of the mesh (Istio: istio-system)',
  trustDomain: 'trust domain of the mesh (Istio: cluster.local)',
  istioVersion: 'release of Istio, in quotes: "1.30"',
  gatewayApiVersion: 'release of Gateway API, as "1.4" or "1.4/experimental"',
  envoyGatewayVersion: 'release of Envoy Gateway',
  kubernetesVersion: 'release of Kubernetes',
};

export function configurationSchema(): object {
  const mesh = Object.entries(MESH).map(([name, form]) => [
    name,
    { description: MESH_DESCRIPTIONS[name as keyof typeof MESH], type: 'string', pattern: form.source },
  ]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'mesh-edge.yaml',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...(Object.fromEntries(mesh) as object),
      roots: {
        description:
          'Build roots, where the guess of mesh-edge worlds is wrong: each folder is a mesh of its own; a name makes one of several',
        type: 'array',
        items: {
          anyOf: [
            { type: 'string', minLength: 1 },
            {
              type: 'object',
              additionalProperties: false,
              required: ['name', 'paths'],
              properties: {
                name: { type: 'string', minLength: 1 },
                paths: texts('Folders or patterns', ['clusters/prod', 'apps/prod']),
              },
            },
          ],
        },
      },
      ignore: texts('Patterns of files and folders that are no part of any mesh', ['docs/**', 'test/**']),
      externals: {
        description: 'What other repositories own: objects that are there, or paths to their manifests',
        type: 'array',
        items: {
          anyOf: [
            {
              type: 'string',
              pattern: '^([A-Z]\\w* [a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*|Namespace [a-z0-9][-a-z0-9.]*)$',
            },
            {
              type: 'object',
              additionalProperties: false,
              required: ['path'],
              properties: { path: { type: 'string' } },
            },
          ],
        },
        examples: [
          ['Gateway istio-ingress/public', 'Namespace istio-ingress', { path: '../platform/gateways/*.yaml' }],
        ],
      },
      severity: {
        description: 'Severity of a rule, by its id or name',
        type: 'object',
        additionalProperties: { enum: ['error', 'warning', 'info', 'off', false] },
      },
      suppress: {
        description: 'Findings that somebody has looked at and accepts',
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['rule', 'reason'],
          properties: {
            rule: { description: 'Id or name of a rule', type: 'string' },
            reason: { type: 'string' },
            object: { description: 'Kind namespace/name, or a pattern of it', type: 'string' },
            file: { description: "End of a file's path, or a pattern of the path", type: 'string' },
          },
        },
      },
      charts: {
        description:
          'How charts of the repository are rendered with --helm, where no HelmRelease or Application says it',
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['chart'],
          properties: {
            chart: { description: 'Its folder', type: 'string' },
            release: { type: 'string' },
            namespace: { type: 'string' },
            values: texts('Files of values', ['values-prod.yaml']),
          },
        },
      },
      baseline: { description: 'File with findings that are accepted as they are', type: 'string' },
    },
  };
}

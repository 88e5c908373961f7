/**
 * Which fields kustomize sets, and in which it follows names: kustomize/api internal/konfig/builtinpluginconsts (commonlabels.go,
 * commonannotations.go, namereference.go). A path of theirs says nothing of lists: each element is followed.
 */
import { isRecord } from './recognize';

export interface FieldSpec {
  /** All kinds, if left out. */
  readonly kinds?: readonly string[];
  readonly path: string;
  /** The field is made where it is not there. */
  readonly create?: boolean;
}

const TEMPLATED = ['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'];
const JOB_TEMPLATE = 'spec/jobTemplate/spec/template';

export const METADATA_LABELS: FieldSpec = { path: 'metadata/labels', create: true };

export const TEMPLATE_LABELS: readonly FieldSpec[] = [
  { kinds: [...TEMPLATED, 'ReplicationController', 'Job'], path: 'spec/template/metadata/labels', create: true },
  { kinds: ['StatefulSet'], path: 'spec/volumeClaimTemplates[]/metadata/labels', create: true },
  { kinds: ['CronJob'], path: 'spec/jobTemplate/metadata/labels', create: true },
  { kinds: ['CronJob'], path: `${JOB_TEMPLATE}/metadata/labels`, create: true },
];

export const SELECTOR_LABELS: readonly FieldSpec[] = [
  METADATA_LABELS,
  { kinds: ['Service', 'ReplicationController'], path: 'spec/selector', create: true },
  { kinds: TEMPLATED, path: 'spec/selector/matchLabels', create: true },
  ...TEMPLATE_LABELS,
  ...[
    'preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm',
    'requiredDuringSchedulingIgnoredDuringExecution',
  ].flatMap((term) =>
    ['podAffinity', 'podAntiAffinity'].map((affinity) => ({
      kinds: ['Deployment', 'StatefulSet'],
      path: `spec/template/spec/affinity/${affinity}/${term}/labelSelector/matchLabels`,
    })),
  ),
  {
    kinds: ['Deployment', 'StatefulSet'],
    path: 'spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels',
  },
  { kinds: ['Job', 'PodDisruptionBudget'], path: 'spec/selector/matchLabels' },
  { kinds: ['CronJob'], path: 'spec/jobTemplate/spec/selector/matchLabels' },
  ...['spec/podSelector', 'spec/ingress/from/podSelector', 'spec/egress/to/podSelector'].map((path) => ({
    kinds: ['NetworkPolicy'],
    path: `${path}/matchLabels`,
  })),
];

export const ANNOTATIONS: readonly FieldSpec[] = [
  { path: 'metadata/annotations', create: true },
  { kinds: [...TEMPLATED, 'ReplicationController', 'Job'], path: 'spec/template/metadata/annotations', create: true },
  { kinds: ['CronJob'], path: 'spec/jobTemplate/metadata/annotations', create: true },
  { kinds: ['CronJob'], path: `${JOB_TEMPLATE}/metadata/annotations`, create: true },
];

const POD_SPECS: readonly FieldSpec[] = [
  { kinds: ['Pod'], path: 'spec' },
  { kinds: ['PodTemplate'], path: 'template/spec' },
  { kinds: [...TEMPLATED, 'Job', 'ReplicationController'], path: 'spec/template/spec' },
  { kinds: ['CronJob'], path: `${JOB_TEMPLATE}/spec` },
];

const inPods = (...paths: readonly string[]): readonly FieldSpec[] =>
  POD_SPECS.flatMap(({ kinds, path }) => paths.map((one) => ({ kinds, path: `${path}/${one}` })));

const inContainers = (...paths: readonly string[]): readonly FieldSpec[] =>
  inPods(...paths.flatMap((path) => [`containers/${path}`, `initContainers/${path}`]));

/** Kinds whose names are followed, with the fields that hold them. */
export const NAME_REFERENCES: Readonly<Record<string, readonly FieldSpec[]>> = {
  ConfigMap: [
    ...inPods('volumes/configMap/name', 'volumes/projected/sources/configMap/name'),
    ...inContainers('env/valueFrom/configMapKeyRef/name', 'envFrom/configMapRef/name'),
  ],
  Secret: [
    ...inPods('volumes/secret/secretName', 'volumes/projected/sources/secret/name', 'imagePullSecrets/name'),
    ...inContainers('env/valueFrom/secretKeyRef/name', 'envFrom/secretRef/name'),
    { kinds: ['ServiceAccount'], path: 'imagePullSecrets/name' },
    { kinds: ['ServiceAccount'], path: 'secrets/name' },
    { kinds: ['Ingress'], path: 'spec/tls/secretName' },
  ],
  ServiceAccount: [{ kinds: ['RoleBinding', 'ClusterRoleBinding'], path: 'subjects' }, ...inPods('serviceAccountName')],
  Service: [
    { kinds: ['StatefulSet'], path: 'spec/serviceName' },
    { kinds: ['Ingress'], path: 'spec/rules/http/paths/backend/serviceName' },
    { kinds: ['Ingress'], path: 'spec/backend/serviceName' },
    { kinds: ['Ingress'], path: 'spec/rules/http/paths/backend/service/name' },
    { kinds: ['Ingress'], path: 'spec/defaultBackend/service/name' },
    { kinds: ['APIService'], path: 'spec/service/name' },
    {
      kinds: ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
      path: 'webhooks/clientConfig/service',
    },
  ],
  Role: [{ kinds: ['RoleBinding'], path: 'roleRef/name' }],
  ClusterRole: [{ kinds: ['RoleBinding', 'ClusterRoleBinding'], path: 'roleRef/name' }],
  PersistentVolumeClaim: inPods('volumes/persistentVolumeClaim/claimName'),
  IngressClass: [{ kinds: ['Ingress'], path: 'spec/ingressClassName' }],
  ...Object.fromEntries(
    ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => [
      kind,
      [{ kinds: ['HorizontalPodAutoscaler'], path: 'spec/scaleTargetRef/name' }],
    ]),
  ),
};

/** Fields in which vars are looked for (builtinpluginconsts/varreference.go). */
export const VARIABLES: readonly FieldSpec[] = [
  ...inContainers('args', 'command', 'env/value', 'volumeMounts/mountPath').filter(
    ({ kinds }) => kinds?.includes('PodTemplate') !== true,
  ),
  ...inPods('volumes/nfs/server').filter(({ kinds }) => kinds?.includes('PodTemplate') !== true),
  { kinds: ['Deployment'], path: 'spec/template/metadata/annotations' },
  ...['spec/rules/host', 'spec/tls/hosts', 'spec/tls/secretName'].map((path) => ({ kinds: ['Ingress'], path })),
  ...['spec/ports/port', 'spec/ports/targetPort'].map((path) => ({ kinds: ['Service'], path })),
  { kinds: ['PersistentVolume'], path: 'spec/nfs/server' },
  { path: 'metadata/labels' },
  { path: 'metadata/annotations' },
];

export const isOfSpec = ({ kinds }: FieldSpec, kind: string): boolean => kinds === undefined || kinds.includes(kind);

/** Calls `visit` with every mapping or list that holds a field of this path, and its key there. */
export function atPath(
  value: unknown,
  path: readonly string[],
  create: boolean,
  visit: (parent: Record<string, unknown>, key: string) => void,
): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  const isList = first.endsWith('[]');
  const key = isList ? first.slice(0, -2) : first;
  if (Array.isArray(value)) {
    for (const item of value) atPath(item, path, create, visit);
    return;
  }
  if (!isRecord(value)) return;
  if (value[key] === undefined || value[key] === null) {
    if (!create || isList) return; // a list is not made
    if (rest.length > 0) value[key] = {};
  }
  if (rest.length === 0) visit(value, key);
  else atPath(value[key], rest, create, visit);
}

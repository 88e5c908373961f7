/**
 * Revisions of istiod, of which several may serve one cluster. Which of them a proxy belongs to is decided by the webhook that injected it
 * (mutatingwebhook.yaml and revision-tags-mwc.yaml of Istio's istiod chart), and what that one has for settings is all that the proxy is told.
 */
import { record, records, text, texts, type Json } from './fields';
import { chartValues, installationOf } from './installation';
import type { Manifest } from './manifest';
import { HELM_VALUES } from './recognize';
import { isAdmitted } from './workloads';

export const REVISION_LABEL = 'istio.io/rev';
const TAG_LABEL = 'istio.io/tag';
const INJECTION_LABEL = 'istio-injection';
/** The revision of an istiod that was installed without one, and the tag that stands for what `istio-injection` asks for. */
export const DEFAULT_REVISION = 'default';

type Labels = Readonly<Record<string, string>>;

/** A Pod of which one asks who serves it. */
export interface ServedPod {
  readonly namespace: string;
  readonly labels: Labels;
  /** Of one that manifests show, or what makes it. */
  readonly kind?: string | undefined;
  readonly manifest?: Manifest | undefined;
  /** Whether it is a proxy that was asked. */
  readonly isRunning?: boolean;
}

/** The tags that stand for revisions: of webhooks, of Services (Istio from 1.28 on), of values, and of the Sail operator. */
export function revisionTags(manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  const add = (tag: string, revision: string): void => {
    if (tag !== '' && revision !== '' && !tags.has(tag)) tags.set(tag, revision);
  };
  for (const manifest of manifests) {
    const { kind, labels } = manifest;
    if (kind === 'MutatingWebhookConfiguration' || kind === 'Service') {
      add(labels[TAG_LABEL] ?? '', labels[REVISION_LABEL] ?? '');
      continue;
    }
    if (kind === 'IstioRevisionTag')
      add(manifest.name, revisionOfTarget(record(record(record(manifest.body).spec).targetRef), manifests));
    else for (const values of valuesOf(manifest)) for (const tag of texts(values.revisionTags)) add(tag, text(values.revision) || DEFAULT_REVISION); // prettier-ignore
  }
  return tags;
}

/** Helm values that an object carries for istiod. No other object is read. */
function valuesOf(manifest: Manifest): readonly Json[] {
  if (manifest.kind === 'IstioOperator') return [record(record(record(manifest.body).spec).values)];
  return chartValues(manifest);
}

function revisionOfTarget(target: Json, manifests: readonly Manifest[]): string {
  const name = text(target.name);
  if (target.kind !== 'Istio') return name;
  const owner = manifests.find((one) => one.kind === 'Istio' && one.group === 'sailoperator.io' && one.name === name);
  return owner === undefined ? name : revisionOf(owner);
}

/** The revision that an object with settings of istiod, or istiod itself, is of. */
export function revisionOf(manifest: Manifest): string {
  const { kind, name, labels } = manifest;
  const spec = record(record(manifest.body).spec);
  const values = record(spec.values);
  const own = ((): string => {
    switch (kind) {
      case 'IstioOperator':
        return text(spec.revision) || text(values.revision);
      case 'Istio':
        return record(spec.updateStrategy).type === 'RevisionBased' ? `${name}-${text(spec.version).replaceAll('.', '-')}` : name; // prettier-ignore
      case 'HelmRelease':
      case 'Application':
      case 'HelmChart':
      case HELM_VALUES:
        return valuesOf(manifest).map(({ revision }) => text(revision)).find((revision) => revision !== '') ?? ''; // prettier-ignore
      default:
        return labels[REVISION_LABEL] ?? /^(?:istio-sidecar-injector|istiod|istio)-(.+)$/.exec(name)?.[1] ?? '';
    }
  })();
  return own || DEFAULT_REVISION;
}

/** Whether a manifest speaks of another revision than one: an istiod, a webhook, a namespace or a proxy of that. */
export function isOfAnother(manifest: Manifest, revision: string, tags: ReadonlyMap<string, string>): boolean {
  const { labels } = manifest;
  const named = installationOf(manifest) === undefined ? labels[REVISION_LABEL] : revisionOf(manifest);
  return named !== undefined && (tags.get(named) ?? named) !== revision;
}

/**
 * The revision or tag whose webhook a Pod is sent to. Labels of the namespace come first, `istio-injection` before a revision, and a
 * Pod's own counts only where its namespace has neither. What runs already has the name of who injected it on it, and so have proxies that
 * nobody injects: those of old gateways, and those that istiod deploys for a Gateway.
 */
export function askedRevision(pod: ServedPod, ofNamespace: Labels): string {
  const { labels, manifest } = pod;
  const own = labels[REVISION_LABEL];
  if (manifest?.kind === 'Gateway')
    return manifest.labels[REVISION_LABEL] ?? ofNamespace[REVISION_LABEL] ?? DEFAULT_REVISION;
  if (own !== undefined && isFixed(pod)) return own;
  if (ofNamespace[INJECTION_LABEL] !== undefined) return DEFAULT_REVISION;
  return ofNamespace[REVISION_LABEL] ?? own ?? DEFAULT_REVISION;
}

/** Whether no webhook has a say any more. */
function isFixed({ kind, manifest, isRunning }: ServedPod): boolean {
  if (isRunning === true) return true;
  if (manifest === undefined) return false;
  const body = record(manifest.body);
  if (kind === 'Pod') return isAdmitted(body);
  const containers = records(record(record(record(body.spec).template).spec).containers);
  return containers.some(({ name, args }) => text(name) === 'istio-proxy' && texts(args).includes('router'));
}

/** Pods as manifests show them: Pods themselves, and the templates of what makes them. */
import { strings } from '../model/fields';
import type { FieldPath, Manifest } from '../model/manifest';
import { type CheckContext, defineIndex } from './context';
import { namespaceInjection } from '../model/injection';
import { LabelIndex, SelectorIndex } from '../model/label-index';
import { podTemplateOf, templatePath } from '../model/workloads';

type Labels = Readonly<Record<string, string>>;

export interface PodTemplate {
  readonly manifest: Manifest;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  /** Where the Pod's metadata stands in the object. */
  readonly at: FieldPath;
}

export interface PodSpec {
  readonly containers?: readonly {
    readonly name?: string;
    readonly image?: string;
    readonly ports?: readonly { readonly containerPort?: number; readonly name?: string }[];
  }[];
  readonly hostNetwork?: boolean;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly object[];
  readonly affinity?: { readonly nodeAffinity?: object };
  readonly serviceAccountName?: string;
}

interface Template {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: PodSpec;
}

export const podTemplates = defineIndex('pod templates', (context): readonly PodTemplate[] =>
  context.manifests.flatMap((manifest) => {
    const at = templatePath(manifest);
    return at === undefined ? [] : [view(manifest, podTemplateOf(manifest) as Template, at)];
  }),
);

function view(manifest: Manifest, template: Template, at: FieldPath): PodTemplate {
  return {
    manifest,
    namespace: manifest.namespace,
    labels: strings(template.metadata?.labels),
    annotations: strings(template.metadata?.annotations),
    spec: template.spec ?? {},
    at,
  };
}

export function isGatewayPod({ annotations, spec, labels }: PodTemplate): boolean {
  return (
    /gateway/.test(annotations['inject.istio.io/templates'] ?? '') ||
    (spec.containers ?? []).some(({ name, image }) => name === 'istio-proxy' && image === 'auto') ||
    /gateway/.test(labels.istio ?? '')
  );
}

export interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly clusterIP?: string;
  readonly externalName?: string;
  readonly ports?: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly targetPort?: number | string;
    readonly protocol?: string;
    readonly appProtocol?: string;
  }[];
}

export function serviceSpec(manifest: Manifest): ServiceSpec {
  return (manifest.body as { spec?: ServiceSpec }).spec ?? {};
}

const podsByLabel = defineIndex(
  'pods by label',
  (context) => new LabelIndex(context.index(podTemplates), ({ labels }) => labels),
);

/** Pods of any namespace that have all of these labels. */
export function podsWith(context: CheckContext, selector: Labels | undefined): readonly PodTemplate[] {
  return context.index(podsByLabel).selectedBy(selector ?? {});
}

const selectorOf = (service: Manifest): Labels => serviceSpec(service).selector ?? {};

const servicesBySelector = defineIndex(
  'services by selector',
  (context) => new SelectorIndex(context.of('', 'Service'), selectorOf),
);

/** Services that select Pods with these labels. */
export function servicesFor(context: CheckContext, namespace: string, labels: Labels): Manifest[] {
  return context
    .index(servicesBySelector)
    .selecting(labels)
    .filter((manifest) => manifest.namespace === namespace);
}

const servicesByTheirLabels = defineIndex(
  'services by the labels that they select',
  (context) => new LabelIndex(context.of('', 'Service'), selectorOf),
);

/** Services of any namespace that ask their Pods for all of these labels. */
export function servicesAskingFor(context: CheckContext, labels: Labels): readonly Manifest[] {
  return context.index(servicesByTheirLabels).selectedBy(labels);
}

/** Namespaces whose Pods get a sidecar, as far as manifests show. */
export function isInjected(context: CheckContext, namespace: string): boolean | undefined {
  return namespaceInjection(context.find('', 'Namespace', '', namespace));
}

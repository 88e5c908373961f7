/** What Istio's admission webhook has to say of one field. */
import { isSocket } from '../../model/endpoints';
import type { FieldPath, Manifest } from '../../model/manifest';
import type { Hit } from '../rule';
import { isPlaceholder } from '../../model/placeholders';
import { isAddress, isDnsLabel, isPortNumber } from './names';

export interface Issue {
  readonly field: FieldPath;
  readonly what: string;
  readonly fix: string;
  /** The webhook lets the object pass with a warning. */
  readonly isWarning?: boolean;
  readonly why?: string;
}

/** Where a server of a Gateway or a listener of a Sidecar is bound. @param otherwise what else `bind` may be */
export function* boundIssues(bind: string, port: number, field: FieldPath, otherwise: string): Generator<Issue> {
  if (!isSocket(bind) && !isPortNumber(port))
    yield {
      field: [...field, 'port', 'number'],
      what: `${port} is no port number`,
      fix: 'Write a number from 1 to 65535.',
    };
  if (bind !== '' && !isSocket(bind) && !isAddress(bind))
    yield {
      field: [...field, 'bind'],
      what: `${JSON.stringify(bind)} is no IP address`,
      fix: `Write an IP address${otherwise}.`,
    };
}

export function* toHits(manifest: Manifest, issues: Iterable<Issue>): Generator<Hit> {
  for (const { field, what, fix, isWarning, why } of issues) {
    yield {
      manifest,
      field,
      what,
      fix,
      ...(why === undefined ? {} : { why }),
      ...(isWarning ? { severity: 'warning' as const } : {}),
    };
  }
}

/** `exportTo` of a ServiceEntry, VirtualService or DestinationRule. */
export function* exportToIssues(
  exportTo: readonly string[] | undefined,
  namespace: string,
  options: { readonly allowsNobody?: boolean; readonly hasSelector?: boolean } = {},
): Generator<Issue> {
  if (!exportTo || exportTo.length === 0) return;
  const field = ['spec', 'exportTo'];
  const seen = new Set<string>();
  for (const [at, entry] of exportTo.entries()) {
    const key = entry === '.' ? namespace : entry;
    if (seen.has(key)) {
      yield {
        field: [...field, at],
        what: `exportTo names ${JSON.stringify(entry)} twice${entry === key ? '' : ` (. is ${namespace})`}`,
        fix: 'Name each namespace once.',
      };
    }
    seen.add(key);
    const isWord = key === '*' || (key === '~' && options.allowsNobody === true);
    if (!isWord && entry !== '.' && !isPlaceholder(entry) && !isDnsLabel(key)) {
      yield {
        field: [...field, at],
        what: `exportTo has ${JSON.stringify(entry)}, which is neither a namespace nor one of . and *`,
        fix: "Name a namespace, or write . for the object's own or * for all.",
      };
    }
  }
  if (seen.has('*') && exportTo.length > 1) {
    yield {
      field,
      what: `exportTo names * (all namespaces) and others: ${exportTo.join(', ')}`,
      fix: 'Keep only *, or only the namespaces.',
    };
  }
  if (seen.has('~') && exportTo.length > 1) {
    yield { field, what: 'exportTo names ~ (nobody) and others', fix: 'Keep only ~, or only the namespaces.' };
  }
  if (options.hasSelector && (seen.size > 1 || !seen.has(namespace))) {
    yield {
      field,
      what: `a DestinationRule with a workloadSelector is exported to ${exportTo.join(', ')}`,
      fix: `Export it to . only: a selector is for workloads of the rule's own namespace.`,
    };
  }
}

/** The selector of a policy, and what it may target instead. */
export function* policyTargetIssues(spec: {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly targetRef?: {
    readonly group?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly targetRefs?: readonly {
    readonly group?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  }[];
}): Generator<Issue> {
  const { selector, targetRef, targetRefs = [] } = spec;
  const ways = [selector && 'selector', targetRef && 'targetRef', targetRefs.length > 0 && 'targetRefs'].filter(
    Boolean,
  );
  if (ways.length > 1) yield { field: ['spec'], what: `${ways.join(' and ')} are both set`, fix: 'Keep one of them.' };
  if (selector) yield* selectorIssues(selector.matchLabels, ['spec', 'selector', 'matchLabels']);
  const refs = [
    ...(targetRef ? [{ ref: targetRef, field: ['spec', 'targetRef'] }] : []),
    ...targetRefs.map((ref, at) => ({ ref, field: ['spec', 'targetRefs', at] })),
  ];
  for (const { ref, field } of refs) {
    if (!ref.name) yield { field, what: 'a target has no name', fix: 'Write its name.' };
    if (ref.namespace) {
      yield {
        field: [...field, 'namespace'],
        what: `a target is in another namespace, ${JSON.stringify(ref.namespace)}`,
        fix: "Put the policy into the namespace of its target, and leave the target's namespace out.",
      };
    }
    const kind = `${ref.group ?? ''}/${ref.kind ?? ''}`;
    const allowed = [
      '/Service',
      'core/Service',
      'networking.istio.io/ServiceEntry',
      'gateway.networking.k8s.io/Gateway',
      'gateway.networking.k8s.io/GatewayClass',
    ];
    if (!allowed.includes(kind)) {
      yield {
        field,
        what: `a policy cannot target ${kind.replace(/^\//, '')}`,
        fix: 'Target a Service, a ServiceEntry, or a Gateway or GatewayClass of Gateway API; select workloads by selector.',
      };
    }
  }
}

export function* selectorIssues(
  labels: Readonly<Record<string, string>> | undefined,
  field: FieldPath,
): Generator<Issue> {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) {
    yield {
      field: field.slice(0, -1),
      isWarning: true,
      what: 'the selector has no labels, so it selects every workload',
      fix: 'Write labels, or leave the selector out.',
      why: 'An empty selector is the same as none, which is seldom what its author meant.',
    };
  }
  for (const [key, value] of entries) {
    if (key === '' || key.includes('*') || value.includes('*')) {
      yield {
        field: [...field, key],
        what: `the selector has ${JSON.stringify(`${key}=${value}`)}`,
        fix: 'Write whole labels: a selector knows no wildcards.',
      };
    }
  }
}

/** Labels by which workloads are told apart (pkg/config/labels/instance.go): as Kubernetes writes them, upper case allowed in the prefix. */
export function* labelIssues(labels: Readonly<Record<string, string>> | undefined, field: FieldPath): Generator<Issue> {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const slash = key.indexOf('/');
    const isKey =
      NAME.test(key.slice(slash + 1)) &&
      key.length - slash <= 64 &&
      (slash < 0 || (slash <= 253 && key.slice(0, slash).split('.').every((label) => PREFIX_LABEL.test(label)))); // prettier-ignore
    if (!isKey || (value !== '' && !NAME.test(value)))
      yield {
        field: [...field, key],
        what: `${JSON.stringify(`${key}=${value}`)} is no label`,
        fix: 'Use letters, digits, hyphens, dots and underscores, beginning and ending with a letter or digit.',
      };
  }
}

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const PREFIX_LABEL = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

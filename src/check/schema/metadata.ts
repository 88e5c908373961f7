/** What an API server asks of names and labels, which no schema says. */
import type { Manifest } from '../../model/manifest';
import { type Violation, quote } from './structural';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const QUALIFIED_NAME =
  /^(([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;

/** Groups whose objects may have names that are no DNS names. */
const FREE_NAMES = new Set(['rbac.authorization.k8s.io', 'install.istio.io']);

export function metadataViolations(manifest: Manifest): Violation[] {
  const violations: Violation[] = [];
  const { metadata = {} } = manifest.body as { metadata?: Record<string, unknown> };
  if (manifest.name === '') {
    if (manifest.group !== 'install.istio.io') violations.push(missingName());
  } else if (!FREE_NAMES.has(manifest.group)) {
    const { form, words } = formOf(manifest);
    if (!form.test(manifest.name) && metadata.generateName === undefined) {
      violations.push({
        field: ['metadata', 'name'],
        what: `the name ${quote(manifest.name)} is not ${words}`,
        why: 'An API server refuses an object whose name does not have the form of its kind.',
        fix: 'Use lower-case letters, digits and hyphens, beginning and ending with a letter or digit.',
      });
    }
  }
  if (manifest.namespace !== '' && !LABEL.test(manifest.namespace)) {
    violations.push({
      field: ['metadata', 'namespace'],
      what: `the namespace ${quote(manifest.namespace)} is not a DNS label`,
      why: 'There can be no namespace of this name.',
      fix: 'Use lower-case letters, digits and hyphens, 63 at most.',
    });
  }
  for (const [key, value] of Object.entries(manifest.labels)) {
    const bad = !QUALIFIED_NAME.test(key) ? `the label's key ${quote(key)}` : value.length > 63 || !LABEL_VALUE.test(value) ? `the value ${quote(value)} of label ${key}` : undefined; // prettier-ignore
    if (bad === undefined) continue;
    violations.push({
      field: ['metadata', 'labels', key],
      what: `${bad} does not have the form of a label`,
      why: 'An API server refuses labels that its selectors could not be written for.',
      fix: 'Use at most 63 letters, digits, hyphens, underscores and dots, beginning and ending with a letter or digit; write anything else as an annotation.',
    });
  }
  return violations;
}

function formOf({ group, kind }: Manifest): { form: RegExp; words: string } {
  if (group === '' && kind === 'Service') return { form: SERVICE_NAME, words: 'a DNS label that begins with a letter' };
  if (group === '' && kind === 'Namespace') return { form: LABEL, words: 'a DNS label' };
  return { form: SUBDOMAIN, words: 'a lower-case DNS name' };
}

function missingName(): Violation {
  return {
    field: ['metadata'],
    what: 'metadata.name is missing',
    why: 'An API server cannot store an object that has no name.',
    fix: 'Write metadata.name.',
  };
}

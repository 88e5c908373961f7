/**
 * Values that are not known yet: what `envsubst`, Flux, Helm, kustomize, Zarf, Terraform or a person writes over before the object is
 * applied. Nothing that hangs on such a value can be judged.
 */
import type { FieldPath, Manifest } from './manifest';
import { isRecord } from './recognize';

/** Forms that no finished value has, wherever they stand. */
const FORMS = [
  /\$\{[^}]*\}/, // envsubst, Flux's postBuild, Terraform
  /\$\([A-Za-z_][\w.-]*\)/, // vars of kustomize, parameters of Tekton and OpenShift
  /\$\{\{|\{\{[^}]*\}\}|\{%[^%]*%\}/, // Helm, ApplicationSets, Jinja
  /###[A-Z][A-Z0-9_]*###/, // Zarf
  /(?<![?P(])<[A-Za-z][\w .:/-]*>(?!.*<\/)/, // <NAMESPACE>: not a group of a regular expression, nor HTML
  /(^|[^\w$\\])\$[A-Z_][A-Z0-9_]+/, // $PROJECT_ID
  /^ENC\[[A-Z0-9_]+,/, // SOPS
  /(^|[^\w])@@?[A-Z][A-Z0-9_]*@@?([^\w]|$)/, // @DOMAIN@
  /\b[A-Z0-9_]*(PLACEHOLDER|CHANGE_?ME|REPLACE_?(ME|THIS|WITH\w*))[A-Z0-9_]*\b/,
  /%%[A-Z][A-Z0-9_]*%%/,
  /^[Pp]laceholder[A-Z_]|[a-z]Placeholder$/, // placeholderName, hostPlaceholder
];

/** Words in capitals within a name or host, which are always in small letters: what a replacement writes over. */
const CAPITALS = /(^|[./-])[A-Z][A-Z0-9]*_[A-Z0-9_]+([./-]|$)/;
const NAMES = new Set([
  'host', 'hosts', 'hostname', 'hostnames', 'namespace', 'gateways', 'sniHosts', 'gatewayClassName', 'credentialName', 'serviceName', 'dnsNames', 'jwksUri', 'issuer',
]); // prettier-ignore

/** `_`: no name of anything. Flux's repositories call a Namespace so that kustomize is to name. */
const BLANK = /^_+$/;

/** Fields in which such text is not the manifest's own: programs, scripts, documents within documents. */
const NOT_OURS = new Set([
  'args', 'command', 'env', 'data', 'stringData', 'binaryData', 'annotations', 'inlineCode', 'inline_code', 'inlineString', 'inline_string', 'script', 'description', 'format',
  'accessLogFormat', 'log_format', 'text_format', 'textFormat', 'inline', 'lifecycle', 'livenessProbe', 'readinessProbe', 'regex', 'rewrite', 'uriRegexRewrite', 'pattern',
  'subPathExpr', 'managedFields', 'status', 'expression', 'body', 'message',
]); // prettier-ignore

export function isPlaceholder(value: string, field: string | undefined = undefined): boolean {
  if (value === '') return false;
  if (/[$#<{@%]|ENC\[|PLACEHOLDER|[Pp]laceholder|CHANGE|REPLACE/.test(value) && FORMS.some((form) => form.test(value)))
    return true;
  if (field === undefined) return false;
  return NAMES.has(field) && CAPITALS.test(value);
}

/** Where a value holds a placeholder, as fields below it; the first `limit` of them. */
export function placeholdersIn(value: unknown, limit = 1, at: FieldPath = []): readonly FieldPath[] {
  const found: FieldPath[] = [];
  // Where the walk is: copied only for what is found.
  const path = [...at];
  const within = (step: string | number, node: unknown, field: string | undefined): void => {
    path.push(step);
    walk(node, field);
    path.pop();
  };
  const walk = (node: unknown, field: string | undefined): void => {
    if (found.length >= limit) return;
    if (typeof node === 'string') {
      if (isPlaceholder(node, field)) found.push([...path]);
    } else if (Array.isArray(node)) {
      node.forEach((item, index) => within(index, item, field));
    } else if (isRecord(node)) {
      for (const key of Object.keys(node)) {
        // `port: {{ .Values.port }}` is a mapping of a mapping to YAML.
        if (key === '[object Object]' || isPlaceholder(key)) found.push([...path, key]);
        else if (!NOT_OURS.has(key)) within(key, node[key], key);
      }
    }
  };
  // The element of a list is a value of the list's own field.
  walk(value, at.filter((part): part is string => typeof part === 'string').at(-1));
  return found;
}

/** Where an object is not known yet: its name, its namespace, or what it says. */
export function unknownFields({ kind, name, namespace, body }: Manifest, limit = 1): readonly FieldPath[] {
  const named = [
    ...(BLANK.test(name) || CAPITALS.test(name) ? [['metadata', 'name']] : []),
    ...(BLANK.test(namespace) ? [['metadata', 'namespace']] : []),
  ];
  if (named.length >= limit || kind === 'CustomResourceDefinition') return named;
  const { sops: _sops, metadata, ...rest } = isRecord(body) ? body : {};
  const { name: ownName, namespace: ownNamespace, labels, generateName } = isRecord(metadata) ? metadata : {};
  const known = { metadata: { name: ownName, namespace: ownNamespace, labels, generateName }, ...rest };
  return [...named, ...placeholdersIn(known, limit - named.length)];
}

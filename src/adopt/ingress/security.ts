/** Istio's policies of who may come to a workload, and what is logged of it. */
import { Call } from '../code';
import { record, records, strings, text, texts, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Draft, EnumValue, given, Kept, objectProps } from './draft';
import type { Known } from './gateways';
import { listed, pick } from './routes';

/** A Telemetry that has access logs of one provider: metrics, traces and filters are patched. */
export function telemetryDraft(manifest: Manifest): Draft | Kept {
  const { selector, accessLogging } = record(manifest.body.spec);
  const [first, ...others] = records(accessLogging);
  const [provider, ...more] = records(first?.providers);
  if (first === undefined) return new Kept('it is about metrics or traces, which no construct says');
  if (provider === undefined || others.length + more.length > 0) return new Kept('its access logs are not of one provider'); // prettier-ignore
  const { namespace, ...own } = objectProps(manifest);
  const labels = strings(record(selector).matchLabels);
  return {
    construct: 'AccessLog',
    props: {
      format: new Call('AccessLogFormat.installed', text(provider.name)),
      namespace,
      workloads: Object.keys(labels).length === 0 ? undefined : labels,
      ...own,
    },
  };
}

/** A Sidecar that says which hosts are told, and what becomes of others: its further listeners are patched. */
export function sidecarDraft(manifest: Manifest): Draft | Kept {
  const { workloadSelector, egress, outboundTrafficPolicy } = record(manifest.body.spec);
  const [first, ...others] = records(egress);
  const mode = text(record(outboundTrafficPolicy).mode);
  if (others.length > 0 || first?.port !== undefined) return new Kept('its hosts are told by listeners of their own');
  if (first === undefined && mode !== 'REGISTRY_ONLY' && mode !== 'ALLOW_ANY') return new Kept('it says neither hosts nor what becomes of others'); // prettier-ignore
  const { namespace, ...own } = objectProps(manifest);
  const labels = strings(record(workloadSelector).labels);
  return {
    construct: 'SidecarScope',
    props: {
      namespace,
      workloads: Object.keys(labels).length === 0 ? undefined : labels,
      hosts: first === undefined ? undefined : texts(first.hosts),
      mode: mode === 'REGISTRY_ONLY' || mode === 'ALLOW_ANY' ? new EnumValue(`OutboundMode.${mode}`) : undefined,
      ...own,
    },
  };
}

export function peerDraft(manifest: Manifest): Draft | Kept {
  const { selector, mtls, portLevelMtls } = record(manifest.body.spec);
  const labels = strings(record(selector).matchLabels);
  const mode = text(record(mtls).mode) || 'UNSET';
  const ports = Object.entries(record(portLevelMtls)).map(([port, own]) => [port, new EnumValue(`MutualTls.${text(record(own).mode) || 'UNSET'}`)] as const); // prettier-ignore
  const isWide = Object.keys(labels).length === 0;
  if (isWide && ports.length > 0) return new Kept('it has ports and no selector, which Istio ignores');
  const appliesTo = isWide
    ? new Call('PeerScope.inNamespace', manifest.namespace)
    : new Call('PeerScope.workloads', manifest.namespace, labels, ports.length === 0 ? undefined : { ports: Object.fromEntries(ports) }); // prettier-ignore
  const { namespace: _ofScope, ...own } = objectProps(manifest);
  const isUsual = mode === 'STRICT';
  return {
    construct: 'PeerAuthentication',
    props: { appliesTo, mode: isUsual ? undefined : new EnumValue(`MutualTls.${mode}`), ...own },
  };
}

/** What a policy is about: a gateway of Gateway API, the Pods of some labels, or all of its namespace. */
function target(manifest: Manifest, known: Known): Call | Kept {
  const { selector, targetRef, targetRefs } = record(manifest.body.spec);
  const refs = [...records(targetRefs), ...(targetRef === undefined ? [] : [record(targetRef)])];
  const [first] = refs;
  if (first !== undefined) {
    const gateway =
      text(first.kind) === 'Gateway' ? known.gateway('Gateway', manifest.namespace, text(first.name)) : undefined;
    return gateway === undefined ? new Kept(`it is about ${text(first.kind)} ${text(first.name)}`) : new Call('AccessTarget.gateway', gateway); // prettier-ignore
  }
  const labels = strings(record(selector).matchLabels);
  return Object.keys(labels).length > 0
    ? new Call('AccessTarget.workloads', new Call('Workloads.in', manifest.namespace, labels))
    : new Call('AccessTarget.mesh', manifest.namespace);
}

export function tokensDraft(manifest: Manifest, known: Known): Draft | Kept {
  const about = target(manifest, known);
  if (about instanceof Kept) return about;
  const { namespace: _ofTarget, ...own } = objectProps(manifest);
  return {
    construct: 'RequestAuthentication',
    props: {
      target: about,
      issuers: records(record(manifest.body.spec).jwtRules).map(issuer),
      required: false,
      ...own,
    },
  };
}

function issuer(rule: Json): Json {
  const headers = records(rule.fromHeaders).map(({ name, prefix }) => [text(name), text(prefix)] as const);
  const claims = records(rule.outputClaimToHeaders).map(({ claim, header }) => [text(claim), text(header)] as const);
  return (
    given({
      ...pick(rule, ['issuer', 'jwksUri', 'jwks', 'audiences', 'fromParams', 'fromCookies']),
      issuer: text(rule.issuer),
      fromHeaders: headers.length === 0 ? undefined : Object.fromEntries(headers),
      claimToHeaders: claims.length === 0 ? undefined : Object.fromEntries(claims),
      forwardToken: rule.forwardOriginalToken,
    }) ?? {}
  );
}

export function accessDraft(manifest: Manifest, known: Known): Draft | Kept {
  const about = target(manifest, known);
  if (about instanceof Kept) return about;
  const { action = 'ALLOW', rules } = record(manifest.body.spec);
  if (action !== 'ALLOW' && action !== 'DENY') return new Kept(`its action is ${text(action)}`);
  const own = records(rules).map((rule) => accessRule(rule));
  const odd = own.find((one) => one instanceof Kept);
  if (odd instanceof Kept) return odd;
  const { namespace: _ofTarget, ...named } = objectProps(manifest);
  return {
    construct: 'AuthorizationPolicy',
    props: {
      target: about,
      action: action === 'DENY' ? new Call('AuthorizationAction.deny') : undefined,
      rules: own,
      tokensReadElsewhere: own.some((one) => !(one instanceof Kept) && needsTokens(one)) ? true : undefined, // prettier-ignore
      ...named,
    },
  };
}

/** Whether tokens are asked for, by the rule or by an alternative of it. */
function needsTokens({ tokens, claims, orFrom }: Json): boolean {
  return (tokens ?? claims) !== undefined || records(orFrom).some((one) => one.tokens !== undefined);
}

const SOURCES: Readonly<Record<string, string>> = { ipBlocks: 'addresses', remoteIpBlocks: 'clientAddresses', requestPrincipals: 'tokens' }; // prettier-ignore
const OPERATIONS: Readonly<Record<string, string>> = { methods: 'methods', paths: 'paths', notPaths: 'exceptPaths' };

/** What a rule asks for; who comes by name of a service account in a namespace. */
function accessRule({ from, to, when }: Json): Json | Kept {
  const sources = records(from).map((one) => sourceProps(record(one.source)));
  const odd = sources.find((one) => one instanceof Kept);
  if (odd instanceof Kept) return odd;
  const [source = {}, ...others] = sources;
  const [operation = {}, ...further] = records(to).map((one) => operationProps(record(one.operation)));
  const claims = records(when).flatMap(({ key, values }) => {
    const path = [...text(key).matchAll(/\[([^\]]+)\]/g)].map(([, name]) => name);
    return text(key).startsWith('request.auth.claims[') && values !== undefined
      ? [{ path, values: texts(values) }]
      : [];
  });
  return (
    given({
      ...source,
      ...operation,
      claims: listed(claims),
      orFrom: listed(others),
      orTo: listed(further),
    }) ?? {}
  );
}

const known = (fields: Readonly<Record<string, string>>, all: Json): Json =>
  Object.fromEntries(Object.entries(fields).map(([field, prop]) => [prop, listed(texts(all[field]))]));

function sourceProps(source: Json): Json | Kept {
  const callers = [
    ...texts(source.principals).map(account),
    ...texts(source.namespaces).map((name) => (name.includes('*') ? undefined : new Call('Workloads.in', name))),
  ];
  if (callers.includes(undefined)) return new Kept('a rule names callers by a pattern');
  return given({ callers: listed(callers), ...known(SOURCES, source) }) ?? {};
}

function operationProps(operation: Json): Json {
  return given({ ...known(OPERATIONS, operation), ports: listed(texts(operation.ports).map(Number)) }) ?? {};
}

function account(principal: string): Call | undefined {
  const found = /^cluster\.local\/ns\/([a-z0-9-]+)\/sa\/([a-z0-9.-]+)$/.exec(principal);
  return found === null ? undefined : new Call('Workloads.serviceAccount', found[1], found[2]);
}

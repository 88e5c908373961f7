/** Istio's policies of who may come to a workload, and what is logged of it. */
import { Call } from '../code';
import { number, record, records, strings, text, texts, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Draft, duration, EnumValue, given, Kept, objectProps } from './draft';
import type { Known } from './gateways';
import { listed, pick } from './routes';

/** A Telemetry: what no prop says of its logs, traces and metrics is patched. */
export function telemetryDraft(manifest: Manifest): Draft | Kept {
  const { selector, accessLogging, tracing, metrics } = record(manifest.body.spec);
  const { namespace, ...own } = objectProps(manifest);
  const matched = strings(record(selector).matchLabels);
  const workloads = Object.keys(matched).length === 0 ? undefined : matched;
  const [logs, ...others] = records(accessLogging);
  const [provider, ...more] = records(logs?.providers);
  const conditions = [logs?.filter, logs?.match, logs?.disabled].filter((one) => one !== undefined);
  const rest = [...records(tracing), ...records(metrics), ...others, ...more, ...conditions];
  if (provider !== undefined && rest.length === 0) {
    const format = new Call('AccessLogFormat.installed', text(provider.name));
    return { construct: 'AccessLog', props: { format, namespace, workloads, ...own } };
  }
  const said = {
    logs: listed(records(accessLogging).map(logsProps)),
    traces: listed(records(tracing).map(tracesProps)),
    metrics: listed(records(metrics).map(metricsProps)),
  };
  if (given(said) === undefined) return new Kept('it says nothing of logs, traces or metrics');
  return { construct: 'ProxyTelemetry', props: { ...said, namespace, workloads, ...own } };
}

const providersOf = (one: Json): readonly string[] | undefined => listed(records(one.providers).map(({ name }) => text(name))); // prettier-ignore

function sideOf(match: unknown): EnumValue | undefined {
  const side = { CLIENT: 'CLIENT', SERVER: 'SERVER', CLIENT_AND_SERVER: 'BOTH' }[text(record(match).mode)];
  return side === undefined ? undefined : new EnumValue(`ProxySide.${side}`);
}

function logsProps(one: Json): Json {
  const { expression } = record(one.filter);
  return given({ providers: providersOf(one), filter: expression, disabled: one.disabled, side: sideOf(one.match) }) ?? {}; // prettier-ignore
}

function tracesProps(one: Json): Json {
  const tags = Object.entries(record(one.customTags)).flatMap(([name, tag]) => {
    const call = tagCall(record(tag));
    return call === undefined ? [] : [[name, call] as const];
  });
  return (
    given({
      providers: providersOf(one),
      samplingPercent: one.randomSamplingPercentage,
      disabled: one.disableSpanReporting,
      tags: tags.length === 0 ? undefined : Object.fromEntries(tags),
      side: sideOf(one.match),
    }) ?? {}
  );
}

function tagCall({ literal, header, environment }: Json): Call | undefined {
  if (literal !== undefined) return new Call('TraceTag.literal', text(record(literal).value));
  const [kind, of] = header === undefined ? ['environment', record(environment)] : ['header', record(header)];
  if (text(of.name) === '') return undefined;
  return new Call(`TraceTag.${kind}`, text(of.name), of.defaultValue);
}

function metricsProps(one: Json): Json {
  return (
    given({
      providers: providersOf(one),
      overrides: listed(records(one.overrides).map(overrideProps)),
      reportingInterval: duration(one.reportingInterval),
    }) ?? {}
  );
}

function overrideProps({ match, disabled, tagOverrides }: Json): Json {
  const all = Object.entries(record(tagOverrides)).map(([name, tag]) => [name, record(tag)] as const);
  const values = all.filter(([, { operation }]) => operation !== 'REMOVE').map(([name, { value }]) => [name, text(value)] as const); // prettier-ignore
  const { metric, customMetric } = record(match);
  return (
    given({
      metric: metric ?? customMetric,
      side: sideOf(match),
      disabled,
      tags: values.length === 0 ? undefined : Object.fromEntries(values),
      removedTags: listed(all.filter(([, { operation }]) => operation === 'REMOVE').map(([name]) => name)),
    }) ?? {}
  );
}

/** A Sidecar: which hosts are told, by one listener or several, and what becomes of others. Its inbound listeners are patched. */
export function sidecarDraft(manifest: Manifest): Draft | Kept {
  const { workloadSelector, egress, outboundTrafficPolicy } = record(manifest.body.spec);
  const listeners = records(egress);
  const last = listeners.at(-1);
  const general = last !== undefined && last.port === undefined ? last : undefined;
  const own = general === undefined ? listeners : listeners.slice(0, -1);
  const mode = text(record(outboundTrafficPolicy).mode);
  if (listeners.length === 0 && mode !== 'REGISTRY_ONLY' && mode !== 'ALLOW_ANY') return new Kept('it says neither hosts nor what becomes of others'); // prettier-ignore
  if (own.some(({ port }) => port === undefined)) return new Kept('a listener without a port comes before others, which Istio refuses'); // prettier-ignore
  const { namespace, ...named } = objectProps(manifest);
  const labels = strings(record(workloadSelector).labels);
  return {
    construct: 'SidecarScope',
    props: {
      namespace,
      workloads: Object.keys(labels).length === 0 ? undefined : labels,
      listeners: listed(own.map(listenerProps)),
      hosts: general === undefined ? undefined : texts(general.hosts),
      mode: mode === 'REGISTRY_ONLY' || mode === 'ALLOW_ANY' ? new EnumValue(`OutboundMode.${mode}`) : undefined,
      ...named,
    },
  };
}

function listenerProps({ port, bind, captureMode, hosts }: Json): Json {
  const { number: own, protocol, name } = record(port);
  const isCapture = captureMode === 'IPTABLES' || captureMode === 'NONE';
  return (
    given({
      port: number(own) ?? 0,
      protocol: protocol === 'TCP' ? undefined : protocol,
      name,
      bind,
      capture: isCapture ? new EnumValue(`ListenerCapture.${captureMode}`) : undefined,
      hosts: texts(hosts),
    }) ?? {}
  );
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
  const { action = 'ALLOW', rules, provider } = record(manifest.body.spec);
  const call = actionCall(String(action), text(record(provider).name));
  if (call instanceof Kept) return call;
  const own = records(rules).map((rule) => accessRule(rule));
  const odd = own.find((one) => one instanceof Kept);
  if (odd instanceof Kept) return odd;
  const { namespace: _ofTarget, ...named } = objectProps(manifest);
  return {
    construct: 'AuthorizationPolicy',
    props: {
      target: about,
      action: call,
      rules: own,
      tokensReadElsewhere: own.some((one) => !(one instanceof Kept) && needsTokens(one)) ? true : undefined, // prettier-ignore
      ...named,
    },
  };
}

/** What becomes of requests; undefined where they are let pass, which is usual. */
function actionCall(action: string, provider: string): Call | Kept | undefined {
  if (action === 'ALLOW') return undefined;
  if (action === 'DENY') return new Call('AuthorizationAction.deny');
  if (action !== 'CUSTOM') return new Kept(`its action is ${action}`);
  return provider === ''
    ? new Kept('its action is CUSTOM, and it names no provider')
    : new Call('AuthorizationAction.custom', new Call('ExternalAuthorizer.fromName', provider));
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
  const headers = records(when).flatMap(({ key, values }) => {
    const name = /^request\.headers\[([^\]]+)\]$/.exec(text(key))?.[1];
    return name !== undefined && values !== undefined ? [[name, texts(values)] as const] : [];
  });
  return (
    given({
      ...source,
      ...operation,
      claims: listed(claims),
      headers: headers.length === 0 ? undefined : Object.fromEntries(headers),
      serverNames: listed(records(when).flatMap(({ key, values }) => (key === 'connection.sni' ? texts(values) : []))),
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
  return (
    given({
      hosts: hostsProp(texts(operation.hosts)),
      ...known(OPERATIONS, operation),
      ports: listed(texts(operation.ports).map(Number)),
    }) ?? {}
  );
}

/** Hosts with any port, as the construct has them; undefined if they are written otherwise. */
function hostsProp(hosts: readonly string[]): readonly string[] | undefined {
  const said = hosts.filter((host, index) => host !== `${hosts[index - 1]}:*`);
  const rendered = said.flatMap((host) => (host.includes('*') ? [host] : [host, `${host}:*`]));
  return rendered.join('\n') === hosts.join('\n') ? listed(said) : undefined;
}

function account(principal: string): Call | undefined {
  const found = /^cluster\.local\/ns\/([a-z0-9-]+)\/sa\/([a-z0-9.-]+)$/.exec(principal);
  return found === null ? undefined : new Call('Workloads.serviceAccount', found[1], found[2]);
}

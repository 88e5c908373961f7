/** What Envoy Gateway's proxies are made of, and the code that they run. */
import { Call } from '../code';
import { record, records, strings, text, texts, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Draft, duration, EnumValue, given, Kept, objectProps } from './draft';
import type { Known } from './gateways';
import { policy } from './policies';
import { backend, listed } from './routes';

const SERVICE_TYPES: Readonly<Record<string, string>> = { LoadBalancer: 'LOAD_BALANCER', ClusterIP: 'CLUSTER_IP', NodePort: 'NODE_PORT' }; // prettier-ignore

export function proxyDraft(manifest: Manifest): Draft {
  const spec = record(manifest.body.spec);
  const { envoyDeployment, envoyService, envoyHpa } = record(record(spec.provider).kubernetes);
  const { replicas, pod, container } = record(envoyDeployment);
  const { minReplicas, maxReplicas } = record(envoyHpa);
  const { requests, limits } = record(record(container).resources);
  const { labels, annotations } = record(pod);
  const type = SERVICE_TYPES[text(record(envoyService).type)];
  return {
    construct: 'EnvoyProxy',
    props: {
      replicas: maxReplicas === undefined ? replicas : minReplicas,
      maxReplicas,
      requests: quantities(requests),
      limits: quantities(limits),
      podLabels: map(labels),
      podAnnotations: map(annotations),
      serviceType: type === undefined ? undefined : new EnumValue(`ProxyServiceType.${type}`),
      serviceAnnotations: map(record(envoyService).annotations),
      image: record(container).image,
      extraArgs: listed(texts(spec.extraArgs)),
      mergeGateways: spec.mergeGateways,
      dialsServices: spec.routingType === 'Service' ? true : undefined,
      ...accessLogProps(records(record(record(spec.telemetry).accessLog).settings)),
      ...objectProps(manifest),
    },
  };
}

const map = (value: unknown): Readonly<Record<string, string>> | undefined => value === undefined ? undefined : strings(value); // prettier-ignore

/** Quantities are written as numbers too. */
function quantities(value: unknown): Json | undefined {
  return value === undefined
    ? undefined
    : Object.fromEntries(Object.entries(record(value)).map(([name, amount]) => [name, String(amount)]));
}

/** The one log that a construct says: on standard output, and nothing else. */
function accessLogProps([first, ...others]: readonly Json[]): Json {
  const [sink, ...sinks] = records(first?.sinks);
  const isPlain = others.length + sinks.length === 0 && record(sink?.file).path === '/dev/stdout';
  const { type, text: line, json } = record(first?.format);
  if (!isPlain) return {};
  return type === 'JSON' ? { accessLogFields: map(json) } : { accessLogFormat: text(line) || undefined };
}

export function extensionDraft(manifest: Manifest, known: Known): Draft | Kept {
  const spec = record(manifest.body.spec);
  const scripts = records(spec.lua).map(({ type, inline, valueRef }) =>
    type === 'ValueRef'
      ? new Call('EnvoyExtension.luaFrom', text(record(valueRef).name))
      : new Call('EnvoyExtension.lua', text(inline)),
  );
  const services = records(spec.extProc).map((one) => processor(one, manifest.namespace));
  const odd = services.find((one) => one instanceof Kept);
  if (odd instanceof Kept) return odd;
  const extensions = [...scripts, ...records(spec.wasm).map(wasm), ...services];
  return policy('EnvoyExtensionPolicy', manifest, known, () => ({ extensions }));
}

function wasm({ name, rootID, code, config, failOpen }: Json): Call {
  const { type, http, image } = record(code);
  const own = record(type === 'Image' ? image : http);
  const options = given({
    name,
    rootId: rootID,
    sha256: own.sha256,
    imagePullSecret: record(own.pullSecretRef).name,
    config,
    failOpen,
  });
  return new Call(type === 'Image' ? 'EnvoyExtension.wasmImage' : 'EnvoyExtension.wasmFile', text(own.url), options);
}

function processor(
  { backendRefs, backendRef, processingMode, messageTimeout, failOpen }: Json,
  namespace: string,
): Call | Kept {
  const [ref] = [...records(backendRefs), ...(backendRef === undefined ? [] : [record(backendRef)])];
  if (ref === undefined) return new Kept('a service that processes requests is nowhere');
  const { request, response } = record(processingMode);
  const options = given({
    request: part(request),
    response: part(response),
    messageTimeout: duration(messageTimeout),
    failOpen,
  });
  return new Call('EnvoyExtension.externalProcessor', backend(ref, namespace), options);
}

const BODIES: Readonly<Record<string, string>> = { Streamed: 'STREAMED', Buffered: 'BUFFERED', BufferedPartial: 'BUFFERED_PARTIAL', FullDuplexStreamed: 'FULL_DUPLEX_STREAMED' }; // prettier-ignore

function part(given: unknown): Json | undefined {
  if (given === undefined) return undefined;
  const { body, attributes } = record(given);
  const name = BODIES[text(body)];
  return {
    ...(name !== undefined && { body: new EnumValue(`ProcessedBody.${name}`) }),
    ...(attributes !== undefined && { attributes: texts(attributes) }),
  };
}

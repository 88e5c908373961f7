/** Classes, Gateways and ListenerSets, and those that are named and are not among the manifests. */
import { Call, literal, variableName } from '../code';
import { record, records, strings, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { Lifted } from '../lifted';
import { type Draft, Kept, objectProps, type Places, Reference } from './draft';
import { listenerCalls } from './listeners';

const ISTIO = 'networking.istio.io';
const GROUP = 'gateway.networking.k8s.io';

/** The variables that constructs are kept under, by kind, namespace and name. */
export class Known {
  private readonly variables = new Map<string, string>();
  /** Names of gateways that are made elsewhere, in the order in which they were first asked for. */
  public readonly foreign: Lifted[] = [];

  public constructor(
    private readonly manifests: readonly Manifest[],
    private readonly places: Places,
  ) {}

  public add({ group, kind, namespace, name }: Manifest, variable: string): void {
    this.variables.set(`${group === ISTIO && kind === 'Gateway' ? 'classic' : kind} ${namespace}/${name}`, variable);
  }

  public find(kind: string, namespace: string, name: string): Reference | undefined {
    const variable = this.variables.get(`${kind} ${namespace}/${name}`);
    return variable === undefined ? undefined : new Reference(variable);
  }

  public manifest(kind: string, namespace: string, name: string): Manifest | undefined {
    return this.manifests.find((one) => one.group === GROUP && one.kind === kind && one.namespace === namespace && one.name === name); // prettier-ignore
  }

  /** The gateway of a name: that of this app, else one that is made elsewhere. Sets of listeners have to be of this app. */
  public gateway(kind: string, namespace: string, name: string): Reference | undefined {
    const own = this.find(kind, namespace, name);
    if (own !== undefined || kind !== 'Gateway') return own;
    const className = text(record(record(this.manifest('Gateway', namespace, name)?.body).spec).gatewayClassName);
    const props = { name, namespace, ingressClass: classOf(className, this) };
    return this.elsewhere(`Gateway ${namespace}/${name}`, name, 'gateway', (id) => ({
      code: `IngressGateway.fromAttributes(this, ${literal(id)}, ${literal(props, 4)})`,
      imports: ['IngressGateway', 'IngressClass'],
      uses: props.ingressClass instanceof Reference ? [props.ingressClass.source] : [],
    }));
  }

  /** A Service whose clients a route is for. */
  public service(namespace: string, name: string): Reference {
    return this.elsewhere(`Service ${namespace}/${name}`, name, 'service', (id) => ({
      code: `new MeshService(this, ${literal(id)}, ${literal({ name, namespace }, 4)})`,
      imports: ['MeshService'],
    }));
  }

  private elsewhere(
    key: string,
    name: string,
    stem: string,
    made: (id: string) => {
      readonly code: string;
      readonly imports: readonly string[];
      readonly uses?: readonly string[];
    },
  ): Reference {
    const own = this.variables.get(key);
    if (own !== undefined) return new Reference(own);
    const variable = this.places.variables.free(variableName(`${name}-${stem}`));
    this.variables.set(key, variable);
    const id = this.places.ids.free(`${name}-${stem}`);
    this.foreign.push({
      uses: [],
      ids: [id],
      ...made(id),
      provides: variable,
      isExact: true,
      fromCdk8s: [],
      replaces: [],
      carried: [],
    });
    return new Reference(variable);
  }

  /** A gateway of Istio's own API, by `namespace/name`. */
  public classic(full: string): Reference {
    const [namespace = '', name = ''] = full.split('/');
    return this.elsewhere(`classic ${full}`, name, 'gateway', (id) => ({
      code: `ClassicGateway.fromAttributes(this, ${literal(id)}, ${literal({ name, namespace }, 4)})`,
      imports: ['ClassicGateway'],
    }));
  }
}

/** The class of a gateway; one that is not among the manifests goes by its name alone. */
function classOf(name: string, known: Known): Call | Reference {
  const own = known.find('GatewayClass', '', name);
  if (own !== undefined) return own;
  return name === 'istio' ? new Call('IngressClass.istio') : new Call('IngressClass.named', name || 'elsewhere');
}

export function classDraft(manifest: Manifest): Draft {
  const { controllerName, description, parametersRef } = record(manifest.body.spec);
  const { namespace: _none, ...own } = objectProps(manifest);
  return {
    construct: 'GatewayClass',
    props: { controllerName: text(controllerName), description, parameters: parametersRef, ...own },
  };
}

export function gatewayDraft(manifest: Manifest, known: Known): Draft | Kept {
  const { gatewayClassName, listeners, infrastructure } = record(manifest.body.spec);
  const calls = listenerCalls(listeners, manifest.namespace);
  if (calls instanceof Kept) return calls;
  const { labels, annotations } = record(infrastructure);
  return {
    construct: 'IngressGateway',
    props: {
      ingressClass: classOf(text(gatewayClassName), known),
      listeners: calls,
      infrastructureLabels: labels === undefined ? undefined : strings(labels),
      infrastructureAnnotations: annotations === undefined ? undefined : strings(annotations),
      ...objectProps(manifest),
    },
  };
}

export function listenerSetDraft(manifest: Manifest, known: Known): Draft | Kept {
  const { parentRef, listeners } = record(manifest.body.spec);
  const { kind, namespace, name } = record(parentRef);
  const calls = listenerCalls(listeners, manifest.namespace);
  if (calls instanceof Kept) return calls;
  const gateway = known.gateway(text(kind) || 'Gateway', text(namespace) || manifest.namespace, text(name));
  if (gateway === undefined) return new Kept('it is added to something that is no Gateway');
  return { construct: 'ListenerSet', props: { gateway, listeners: calls, ...objectProps(manifest) } };
}

/** The gateway that a route is attached to, and its listeners; or why there is none to name. */
export function attachment(
  manifest: Manifest,
  known: Known,
): { readonly gateway: Reference; readonly listeners: readonly string[] | undefined } | Kept {
  const parents = records(record(manifest.body.spec).parentRefs);
  const [first] = parents;
  if (first === undefined) return new Kept('it is attached to no gateway');
  const keyOf = (ref: typeof first): string => [text(ref.kind) || 'Gateway', text(ref.namespace) || manifest.namespace, text(ref.name)].join('\n'); // prettier-ignore
  const [kind = '', namespace = '', name = ''] = keyOf(first).split('\n');
  if (kind !== 'Gateway' && kind !== 'Service' && !/ListenerSet$/.test(kind))
    return new Kept(`it is a route of ${kind} ${name}`);
  const gateway = kind === 'Service' ? known.service(namespace, name) : known.gateway(kind, namespace, name);
  if (gateway === undefined) return new Kept(`its ${kind} ${namespace}/${name} is not among what constructs make`);
  const sections = parents.filter((ref) => keyOf(ref) === keyOf(first)).map((ref) => text(ref.sectionName));
  return { gateway, listeners: sections.every((one) => one !== '') ? sections : undefined };
}

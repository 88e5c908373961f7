import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { competingSidecars } from './competing-sidecars';
import { joinMesh } from './mesh-boundary';
import { namesNamespaces } from './namespace-names';
import { OutboundMode } from './outbound-traffic-policy';
import { sidecarObject } from './sidecar-object';

/** How traffic comes to a listener. */
export enum ListenerCapture {
  /** By redirection, as elsewhere in the Pod. */
  IPTABLES = 'IPTABLES',

  /** The application dials the listener itself. */
  NONE = 'NONE',
}

/** A listener of its own for what workloads dial at one port or address. */
export interface SidecarListener {
  /** The hosts that this listener is told of, as in `hosts` of the SidecarScope. What it is not told of, it does not know. */
  readonly hosts: string[];

  /**
   * The port that workloads dial. 0 with a Unix domain socket in `bind`.
   */
  readonly port: number;

  /**
   * The protocol that is spoken there, such as "HTTP", "TCP" or "MONGO".
   *
   * @default "TCP"
   */
  readonly protocol?: string;

  /**
   * The name of the port.
   *
   * @default none
   */
  readonly name?: string;

  /**
   * The address that it listens on: an IP address, or "unix:///path".
   *
   * @default that of the services on the port, or 127.0.0.1 where nothing is redirected
   */
  readonly bind?: string;

  /**
   * How traffic comes to it.
   *
   * @default as the Pod's redirection has it
   */
  readonly capture?: ListenerCapture;
}

/** For whom, and what they are told of. */
export interface SidecarScopeProps {
  /**
   * Listeners of their own for single ports or addresses. Everything else is as `hosts` says; without `hosts`, what is dialled
   * elsewhere is to a sidecar a host that nobody registered.
   *
   * @default none: one listener for all ports
   */
  readonly listeners?: SidecarListener[];

  /**
   * The hosts that proxies are told of, each as NAMESPACE/HOST: `./*` for all of their own namespace, `istio-system/*` for all of
   * another, a star as NAMESPACE for any. From Istio 1.31 on, `~NAMESPACE/HOST` takes hosts away that others take in.
   *
   * @default every host that is exported to the namespace; beside `listeners`, none
   */
  readonly hosts?: string[];

  /**
   * What sidecars do with traffic to hosts that they are not told of, or that nobody registered.
   *
   * @default what the mesh says
   */
  readonly mode?: OutboundMode;

  /**
   * The namespace that it is for. The mesh's root namespace makes it the default of all namespaces that have none of their own.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The workloads that it is for, by their labels.
   *
   * @default all of the namespace
   */
  readonly workloads?: { [key: string]: string };

  /**
   * The name of the Sidecar.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Which hosts the sidecars of a namespace, or of some of its workloads, are told of: less to hold, and less that they route. Renders a Sidecar.
 *
 * It is no boundary: to a host that it leaves out, a sidecar does as `mode` says. Keep `istio-system/*` or the namespaces of what proxies need themselves.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/sidecar/
 * @example
 * new SidecarScope(this, 'Shop', { namespace: 'shop', hosts: ['./*', 'istio-system/*'] });
 */
export class SidecarScope extends Construct {
  /** The rendered Sidecar, to patch. */
  public readonly sidecar: ApiObject;

  /** The namespace that it is for. */
  public readonly namespace: string;

  /** The workloads that it is for; none means all. */
  public readonly workloads: { [key: string]: string };

  /** What it does with traffic to other hosts; undefined for what the mesh says. */
  public readonly mode?: OutboundMode;

  public constructor(scope: Construct, id: string, props: SidecarScopeProps) {
    super(scope, id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.workloads = { ...props.workloads };
    this.mode = props.mode;
    const { namespace, workloads } = this;
    this.sidecar = sidecarObject(this, { ...props, namespace, workloads });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...hostProblems(props),
    ]);
    joinMesh('Sidecar', this, competingSidecars);
    if (props.namespace !== undefined) namesNamespaces(this, () => [{ where: '`namespace`', name: this.namespace }]);
  }
}

/** Forms that istiod's webhook takes (pkg/config/validation). */
const HOST = /^(\.|\*|~|~?[a-z0-9]([-a-z0-9]*[a-z0-9])?)\/[^/\s]+$/;

/** What istiod's webhook refuses of listeners. */
function listenerProblems(listeners: readonly SidecarListener[]): Problem[] {
  const places = listeners.map(({ port, bind }) => (port === 0 ? (bind ?? '') : `port ${port}`));
  return [
    ...listeners.flatMap((one): Problem[] => {
      const isSocket = one.bind?.startsWith('unix://') === true;
      if (one.port === 0 && isSocket)
        return one.capture === ListenerCapture.IPTABLES
          ? [
              {
                what: `the listener at ${quote(one.bind)} captures by IPTABLES`,
                why: 'nothing is redirected to a Unix domain socket, and Istio refuses it',
                fix: 'leave `capture` out',
              },
            ]
          : [];
      if (isSocket)
        return [
          {
            what: `the listener at ${quote(one.bind)} has port ${one.port}`,
            why: 'a Unix domain socket has none, and Istio refuses it',
            fix: 'say port 0',
          },
        ];
      return portProblems('the port of a listener', one.port);
    }),
    ...[...new Set(places.filter((place, index) => places.indexOf(place) !== index))].map((place) => ({
      what: `two listeners at ${place}`,
      why: 'Istio refuses the Sidecar',
      fix: 'put the hosts of both into one',
    })),
    ...listeners.flatMap(({ hosts }) => textProblems(hosts)),
  ];
}

function hostProblems({ hosts, mode, listeners = [] }: SidecarScopeProps): Problem[] {
  if (hosts === undefined && mode === undefined && listeners.length === 0)
    return [
      {
        what: 'neither `hosts` nor `mode` is given, and no listener',
        why: 'the Sidecar would say nothing, and hide the one of the root namespace',
        fix: 'give one of them, or leave the construct out',
      },
    ];
  return [...(hosts === undefined ? [] : textProblems(hosts)), ...listenerProblems(listeners)];
}

function textProblems(hosts: readonly string[]): Problem[] {
  if (hosts.length === 0)
    return [
      {
        what: '`hosts` is empty',
        why: 'Istio refuses a Sidecar without hosts',
        fix: "write '~/*' for none, or leave `hosts` out for all",
      },
    ];
  return hosts
    .filter((host) => !HOST.test(host))
    .map((host) => ({
      what: `\`hosts\` has ${quote(host)}`,
      why: 'hosts of a Sidecar are NAMESPACE/HOST, and Istio refuses any other form',
      fix: `such as ${quote(`*/${host.replace(/^\/+/, '')}`)}, or './*' for all of the own namespace`,
    }));
}

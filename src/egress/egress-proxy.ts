import { IConstruct } from 'constructs';
import { DedicatedNodes } from './dedicated-nodes';

/** A proxy that traffic leaves the mesh through: an egress gateway, or a waypoint. What network policies need to know of it. */
export interface IEgressProxy extends IConstruct {
  /** The namespace that it runs in. */
  readonly namespace: string;

  /** The labels that select its Pods. */
  readonly selector: { [key: string]: string };

  /** The ports that its Pods listen on. */
  readonly podPorts: number[];

  /**
   * The namespaces that policies let in.
   *
   * @internal
   */
  readonly _callingNamespaces: string[];

  /**
   * The nodes that it runs on, where this app decides that.
   *
   * @internal
   */
  readonly _nodes: DedicatedNodes | undefined | 'unknown';
}

/** What the reach of a changed object is said in. */
import { record, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Links } from './links';

export interface Reach {
  /** Hosts and wildcards; `all` for every host. */
  readonly hosts: ReadonlySet<string> | 'all';
  /** Namespaces of the clients that may notice; `all` for everyone, outside included. */
  readonly clients: ReadonlySet<string> | 'all';
  /** Ports on which hosts that nobody names may fare otherwise. */
  readonly ports: ReadonlySet<number>;
  /** Whether hosts that nobody names are concerned on the usual ports. */
  readonly otherHosts: boolean;
}

export const NOTHING: Reach = { hosts: new Set(), clients: new Set(), ports: new Set(), otherHosts: false };
export const EVERYTHING: Reach = { ...NOTHING, hosts: 'all', clients: 'all', otherHosts: true };

/** An object on one side of a change, and what leads where there. */
export interface Side {
  readonly manifest: Manifest;
  readonly links: Links;
}

export function toHosts(
  hosts: Iterable<string>,
  clients: Reach['clients'],
  ports: ReadonlySet<number> = new Set(),
): Reach {
  return { ...NOTHING, ports, hosts: new Set(hosts), clients };
}

export function specOf(manifest: Manifest | undefined): Json {
  return record(record(manifest?.body).spec);
}

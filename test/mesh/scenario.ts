/** How a scenario's outcome is written down, and the outcomes that many share. */
import { type KubeObject } from '../lab/api';
import { type Mesh, type Request } from './mesh';

/** The fields of what was seen that a case is about. */
export interface Expected {
  readonly status?: number;
  readonly body?: unknown;
  readonly sidecar?: Readonly<Record<string, unknown>> | null;
  readonly gateway?: Readonly<Record<string, unknown>> | null;
  readonly site?: Readonly<Record<string, unknown>> | null;
}

/** One request and what it does. */
export interface Case {
  readonly title: string;
  readonly request: Request;
  readonly seen: Expected;
  /** A gateway logs TLS inside mutual TLS twice, in no certain order: what is seen there is not for docs/conformance.md. */
  readonly unrecorded?: true;
}

/** A scenario of `dist/` with its outcome, as the reference documents have it. */
export interface Scenario {
  /** Its folder under `dist/`. */
  readonly id: string;
  /** The gateway whose log is looked at, where it is not the base fixture's. */
  readonly gateway?: string;
  /** Files of `fixtures/` that it needs besides. */
  readonly fixtures?: readonly string[];
  /** Adds what it refers to and does not bring, such as Secrets, and puts the lab's addresses in. */
  readonly arrange?: (mesh: Mesh, objects: readonly KubeObject[]) => Promise<readonly KubeObject[]>;
  readonly cases: readonly Case[];
}

export const HOP = 'istio-egressgateway.istio-system.svc.cluster.local';

export const refusedHttp: Expected = {
  status: 502,
  sidecar: { response_code: 502, response_code_details: 'direct_response', upstream_cluster: null },
  gateway: null,
  site: null,
};
export const refusedTls: Expected = {
  status: 0,
  sidecar: { upstream_cluster: 'BlackHoleCluster' },
  gateway: null,
  site: null,
};

/** Seen by the sidecar alone. */
export const straight = (cluster: string, site: Expected['site']): Expected => ({
  status: 200,
  sidecar: { upstream_cluster: cluster },
  gateway: null,
  site,
});

/** Seen by the sidecar, the gateway and the site. */
export const through = (hop: string, out: string, site: Expected['site'], sni: string | null = null): Expected => ({
  status: 200,
  sidecar: { upstream_cluster: hop },
  gateway: { upstream_cluster: out, ...(sni === null ? {} : { requested_server_name: sni }) },
  site,
});

export const http = (host: string) => ({ scheme: 'http', host, sni: '' });
export const https = (host: string) => ({ scheme: 'https', host, sni: host, client: '' });
export const asClient = (host: string, name: string) => ({ scheme: 'https', host, sni: host, client: `CN=${name}` });

import { type KubeObject } from '../lab/api';
import { type Request } from './mesh';

/** The fields of what was seen that a case is about. */
export interface Expected {
  readonly status?: number;
  readonly exit?: number;
  readonly sidecar?: Readonly<Record<string, unknown>> | null;
  readonly gateway?: Readonly<Record<string, unknown>> | null;
  readonly site?: Readonly<Record<string, unknown>> | null;
}

/** One request and what it does. */
export interface Case {
  readonly title: string;
  readonly request: Request;
  readonly seen: Expected;
}

/** A scenario of `dist/` with its outcome, as the reference documents have it. */
export interface Scenario {
  /** Its folder under `dist/`. */
  readonly id: string;
  readonly mesh?: Readonly<Record<string, unknown>>;
  /** What the scenario refers to and does not bring: Secrets, other workloads. */
  readonly surroundings?: () => Promise<readonly KubeObject[]>;
  readonly cases: readonly Case[];
}

const refusedHttp = {
  status: 502,
  sidecar: { upstream_cluster: null, response_flags: '-' },
  gateway: null,
  site: null,
};
const refusedTls = { status: 0, sidecar: { upstream_cluster: 'BlackHoleCluster' }, gateway: null, site: null };

const straight = (host: string, port: number, scheme: string): Expected => ({
  status: 200,
  sidecar: { upstream_cluster: `outbound|${port}||${host}` },
  gateway: null,
  site: { scheme, host },
});

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'sidecar-http',
    cases: [
      {
        title: 'HTTP to a listed host',
        request: { url: 'http://www.aliyun.com/' },
        seen: straight('www.aliyun.com', 80, 'http'),
      },
      {
        title: 'HTTP to the other listed host',
        request: { url: 'http://hbchen.com/' },
        seen: straight('hbchen.com', 80, 'http'),
      },
      {
        title: 'HTTPS to a listed host, whose port 443 is not registered',
        request: { url: 'https://www.aliyun.com/' },
        seen: refusedTls,
      },
      { title: 'HTTP to a host that is not listed', request: { url: 'http://edition.cnn.com/' }, seen: refusedHttp },
    ],
  },
];

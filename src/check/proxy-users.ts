/** Who is told to use a proxy outside the mesh. */
import { record, records, text } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { defineIndex } from './context';
import { podTemplates } from './workloads';

export interface ProxyUser {
  readonly manifest: Manifest;
  readonly variable: string;
  readonly host: string;
  readonly port: number;
}

/** Proxies that containers are told to use, by the variables that clients of HTTP know. */
export const proxyUsers = defineIndex('users of proxies', (context): readonly ProxyUser[] =>
  context.index(podTemplates).flatMap(({ manifest, spec }) =>
    records(record(spec).containers)
      .flatMap(({ env }) => records(env))
      .flatMap(({ name, value }): readonly ProxyUser[] => {
        const variable = text(name);
        if (!/^(https?|all)_proxy$/i.test(variable)) return [];
        const { host, port } = /^(?:[a-z0-9]+:\/\/)?(?:[^@/]*@)?(?<host>[^:/@]+)(?::(?<port>\d+))?\/?$/i.exec(text(value))?.groups ?? {}; // prettier-ignore
        return host === undefined ? [] : [{ manifest, variable, host, port: Number(port ?? 80) }];
      }),
  ),
);

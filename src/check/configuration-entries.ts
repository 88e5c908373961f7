/** Reads the parts of mesh-edge.yaml, and says of each that is wrong what it should be. */
import type { Chart } from '../model/charts';
import { isRecord } from '../model/recognize';
import type { Root } from '../model/worlds-layout';
import { type External, externalOf } from './externals';
import { SEVERITIES, type Severity } from './finding';
import { rules } from './rules';
import type { Suppression } from './suppress';

/** Takes what is wrong, and goes on. */
export type Complain = (what: string) => void;

/** A rule's severity here; `off` hides it. */
export type Severities = Readonly<Record<string, Severity | 'off'>>;

export function textList(value: unknown, key: string, complain: Complain): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string' && one !== '')) return value;
  complain(`${key} must be a list of texts, such as [docs/**, test/**]`);
  return [];
}

export function roots(value: unknown, complain: Complain): readonly Root[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    complain('roots must be a list of folders, such as [clusters/*]');
    return [];
  }
  return value.flatMap((one: unknown, at): readonly Root[] => {
    if (typeof one === 'string' && one !== '') return [{ paths: [one] }];
    const how = 'write a folder or a pattern, or name: and paths: [...]';
    if (!isRecord(one)) {
      complain(`roots[${at}] is no folder; ${how}`);
      return [];
    }
    unknownKeys(one, ['name', 'paths'], `roots[${at}]`, complain);
    if (typeof one.name !== 'string' || one.name === '') complain(`roots[${at}].name is no text; ${how}`);
    const paths = textList(one.paths, `roots[${at}].paths`, complain);
    if (one.paths === undefined) complain(`roots[${at}] has no paths; ${how}`);
    return [{ name: String(one.name), paths }];
  });
}

export function externals(value: unknown, complain: Complain): readonly External[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    complain('externals must be a list, such as [Gateway istio-ingress/public]');
    return [];
  }
  return value.flatMap((one: unknown, at): readonly External[] => {
    if (isRecord(one) && typeof one.path === 'string' && Object.keys(one).length === 1) return [{ path: one.path }];
    const found = typeof one === 'string' ? externalOf(one) : undefined;
    if (found !== undefined) return [found];
    complain(
      `externals[${at}] is ${JSON.stringify(one)}; write KIND NAMESPACE/NAME (Gateway, Service, Secret), Namespace NAME, or path: to manifests of others`,
    );
    return [];
  });
}

export function severities(value: unknown, complain: Complain): Severities {
  if (value === undefined) return {};
  if (!isRecord(value)) {
    complain('severity must be a mapping of rules, such as EDGE005: info');
    return {};
  }
  const known = new Map(rules.flatMap(({ id, name }) => [[id as string, id] as const, [name, id] as const]));
  return Object.fromEntries(
    Object.entries(value).flatMap(([rule, severity]): [string, Severity | 'off'][] => {
      const id = known.get(rule);
      if (id === undefined)
        complain(`severity.${rule} is no rule; mesh-edge check --explain RULE knows them by id and name`);
      // YAML 1.1 reads off as false.
      const said = severity === false ? 'off' : severity;
      const allowed: readonly unknown[] = [...SEVERITIES, 'off'];
      if (!allowed.includes(said))
        complain(
          `severity.${rule} is ${JSON.stringify(severity)}, which is none of ${[...SEVERITIES, 'off'].join(', ')}`,
        );
      return id === undefined || !allowed.includes(said) ? [] : [[id, said as Severity | 'off']];
    }),
  );
}

export function charts(value: unknown, complain: Complain): readonly Chart[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    complain(
      'charts must be a list, such as [{ chart: charts/web, release: web, namespace: shop, values: [values.yaml] }]',
    );
    return [];
  }
  return value.flatMap((one: unknown, at): readonly Chart[] => {
    if (!isRecord(one) || typeof one.chart !== 'string') {
      complain(`charts[${at}] names no chart; write chart: and its folder`);
      return [];
    }
    unknownKeys(one, ['chart', 'release', 'namespace', 'values'], `charts[${at}]`, complain);
    const { chart, release = chart.split('/').at(-1) ?? chart, namespace = 'default' } = one;
    if (typeof release !== 'string') complain(`charts[${at}].release is no text`);
    if (typeof namespace !== 'string') complain(`charts[${at}].namespace is no text`);
    const values = textList(one.values, `charts[${at}].values`, complain).map((file) => ({ file }));
    return [{ folder: chart, release: String(release), namespace: String(namespace), values, by: 'mesh-edge.yaml' }];
  });
}

export function suppressions(value: unknown, by: string, complain: Complain): readonly Suppression[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    complain('suppress must be a list');
    return [];
  }
  return value.flatMap((entry: unknown, at): readonly Suppression[] => {
    if (!isRecord(entry) || typeof entry.rule !== 'string') {
      complain(`suppress[${at}] names no rule; write rule: EDGE201 and reason: ...`);
      return [];
    }
    for (const [key, own] of Object.entries(entry))
      if (!['rule', 'reason', 'object', 'file'].includes(key) || typeof own !== 'string')
        complain(`suppress[${at}].${key} is not a text that is known here; write rule, reason, object and file`);
    const { rule, reason, object, file } = entry;
    return [
      {
        rule,
        reason: typeof reason === 'string' ? reason : '',
        by,
        ...(typeof object === 'string' ? { object } : {}),
        ...(typeof file === 'string' ? { file } : {}),
      },
    ];
  });
}

function unknownKeys(value: Record<string, unknown>, known: readonly string[], at: string, complain: Complain): void {
  for (const key of Object.keys(value))
    if (!known.includes(key)) complain(`there is no ${at}.${key}; there are ${known.join(', ')}`);
}

/** Judges each world of a repository by itself, and says once what holds in several. */
import type { World } from '../model/worlds';
import { REMOTE_RELEASE } from '../model/recognize';
import { type CheckOptions, check } from './check';
import { rules } from './rules';
import type { LeftOut, Loaded } from '../model/manifest';
import { type CheckResult, type Finding, SEVERITIES, type Suppressed } from './finding';

/** Rules that find something missing: in a world that takes up what nothing here shows, it may be there. */
const ABSENT = new Set<string>(rules.filter(({ findsAbsence }) => findsAbsence === true).map(({ id }) => id));

export function checkWorlds(worlds: readonly World[], options: CheckOptions = {}): CheckResult {
  const [only] = worlds;
  const charts = worlds.flatMap((world) => world.charts ?? []);
  if (only && worlds.length === 1 && only.by === 'files' && charts.length === 0 && only.remote.length === 0)
    return check(only.loaded, options);
  const judged = worlds.filter(
    ({ loaded, notBuilt }) => notBuilt === undefined && loaded.manifests.length + loaded.problems.length > 0,
  );
  // What was not read is one finding for all of it.
  const beside = worlds.flatMap(({ loaded }) => loaded.beside ?? []);
  const nothing = { manifests: [], problems: [] };
  const unread = [
    ...notBuiltOf(worlds),
    ...(charts.length === 0 ? [] : [{ ...nothing, charts }]),
    ...(beside.length === 0 ? [] : [{ ...nothing, beside }]),
  ];
  const unbuilt = unread.flatMap((loaded) => check(loaded, options).findings.filter(({ id }) => id === 'EDGE009'));
  const judgedBy = new Map<string, CheckResult['summary']['judgedBy'][number]>();
  const leftOut = new Map<string, LeftOut>();
  for (const { loaded } of worlds) for (const one of loaded.leftOut ?? []) leftOut.set(JSON.stringify(one), one);
  const suppressed = new Map<string, Suppressed>();
  const found = new Map<string, { readonly finding: Finding; readonly worlds: string[] }>();
  for (const world of judged) {
    const result = check({ ...world.loaded, beside: [] }, options);
    for (const one of result.summary.judgedBy) judgedBy.set(JSON.stringify(one), one);
    for (const one of result.suppressed ?? []) suppressed.set(JSON.stringify(one), one);
    for (const finding of result.findings) {
      const mild =
        world.remote.length > 0 && ABSENT.has(finding.id) ? { ...finding, severity: 'info' as const } : finding;
      const key = JSON.stringify([mild.id, mild.severity, mild.what, mild.field, mild.object, mild.where]);
      const known = found.get(key);
      if (known) known.worlds.push(world.name);
      else found.set(key, { finding: mild, worlds: [world.name] });
    }
  }
  const merged = [...found.values()]
    // What one world has no use for, another may have.
    .filter(
      ({ finding, worlds: places }) =>
        finding.id !== 'EDGE006' || finding.object !== null || places.length === judged.length,
    )
    .map(({ finding, worlds: places }) => (places.length === judged.length ? finding : { ...finding, worlds: places }));
  const findings = [...merged, ...unbuilt].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
  const count = (severity: Finding['severity']): number => findings.filter((one) => one.severity === severity).length;
  const objects = new Set(
    judged.flatMap(({ loaded }) =>
      loaded.manifests
        .slice(0, loaded.own)
        .filter(({ kind }) => kind !== REMOTE_RELEASE)
        .map(({ source, kind, namespace, name }) => `${source.file}:${source.line} ${kind} ${namespace}/${name}`),
    ),
  );
  const summary = {
    objects: objects.size,
    errors: count('error'),
    warnings: count('warning'),
    infos: count('info'),
    judgedBy: [...judgedBy.values()],
    ...(leftOut.size === 0 ? {} : { leftOut: leftOut.size }),
    ...(suppressed.size === 0 ? {} : { suppressed: suppressed.size }),
  };
  return {
    findings,
    summary,
    ...(leftOut.size === 0 ? {} : { leftOut: [...leftOut.values()] }),
    ...(suppressed.size === 0 ? {} : { suppressed: [...suppressed.values()] }),
  };
}

/** Roots that are not built; many that are not for one reason are one. */
function notBuiltOf(worlds: readonly World[]): readonly Loaded[] {
  const groups = new Map<string, World[]>();
  for (const world of worlds) {
    if (world.notBuilt === undefined) continue;
    const key = world.notBuilt.replaceAll(world.name, '').replace(/^\S*kustomization\.ya?ml /, '');
    groups.set(key, [...(groups.get(key) ?? []), world]);
  }
  return [...groups.values()].flatMap((group): readonly Loaded[] => {
    const told = ({ name, notBuilt = '' }: World): NonNullable<Loaded['notBuilt']> => ({
      folder: name,
      reason: notBuilt,
    });
    const [first, ...others] = group;
    if (first === undefined || others.length < FEW)
      return group.map((one) => ({ ...one.loaded, beside: [], notBuilt: told(one) }));
    return [{ ...first.loaded, beside: [], notBuilt: { ...told(first), others: others.map(({ name }) => name) } }];
  });
}

/** As many as are told one by one. */
const FEW = 4;

import type { Beside, Loaded } from '../../model/manifest';
import { textOfBeside } from '../../model/worlds-beside';
import type { Rule } from '../rule';

/** As many charts as a sentence names. */
const NAMED = 5;

export const rule: Rule = {
  id: 'EDGE009',
  name: 'world-not-built',
  severity: 'info',
  title: 'A kustomization is not built here, a chart not rendered, or a file taken up by no kustomization',
  why: 'What it comes to in the mesh is not known, so nothing of it is judged.',
  fix: 'Build it and give the result: kubectl kustomize FOLDER | mesh-edge check -.',
  see: 'https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/',
  reads: [],
  footguns: [],
  *check({ loaded: { notBuilt, charts = [], beside = [] } }) {
    if (notBuilt !== undefined) {
      const { folder, reason, others = [] } = notBuilt;
      yield {
        source: { file: folder },
        field: [],
        what: `${folder} is not built here: ${reason}${others.length === 0 ? '' : `; nor are ${some(others)}, for the same reason`}`,
        fix: `Build it and give the result: kubectl kustomize ${folder} | mesh-edge check -.`,
      };
    }
    const failed = charts.filter(({ reason }) => reason !== undefined);
    for (const { folder, release, reason = '' } of failed)
      yield {
        source: { file: folder },
        field: [],
        what: `helm template does not render ${folder} as ${release}: ${reason}`,
        see: HELM,
        fix: `Mend what it says: helm template ${release} ${folder}.`,
      };
    const unread = charts.filter(({ reason }) => reason === undefined);
    if (unread.length > 0) yield notRendered(unread);
    for (const one of beside) yield notTakenUp(one);
  },
};

function some(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function notTakenUp(one: Beside): {
  readonly source: { readonly file: string };
  readonly field: [];
  readonly what: string;
  readonly why: string;
  readonly fix: string;
} {
  const { folder, files } = one;
  const [{ file } = { file: folder }] = files;
  return {
    source: { file: folder },
    field: [],
    what: textOfBeside(one),
    why: 'Whoever applies the kustomization does not apply these, so nothing of them is judged.',
    fix: `Take them up in its resources, or remove them. If they are applied as they stand, name them in roots of mesh-edge.yaml, as in roots: [{ name: all, paths: [${folder}, ${file}] }], or judge them by themselves: mesh-edge check ${file}.`,
  };
}

const HELM = 'https://helm.sh/docs/helm/helm_template/';

function notRendered(charts: NonNullable<Loaded['charts']>): {
  readonly source: { readonly file: string };
  readonly field: [];
  readonly what: string;
  readonly fix: string;
  readonly see: string;
} {
  const folders = [...new Set(charts.map(({ folder }) => folder))];
  const [{ folder, release, namespace } = { folder: '.', release: 'RELEASE', namespace: 'default' }] = charts;
  return {
    source: { file: folder },
    field: [],
    see: HELM,
    what: `${folders.length} ${folders.length === 1 ? 'chart is' : 'charts are'} not rendered: ${some(folders)}`,
    fix: `Render them and give the result: helm template ${release} ${folder} --namespace ${namespace} | mesh-edge check -, or let your own helm do it: mesh-edge check --helm.`,
  };
}

import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE009',
  name: 'world-not-built',
  severity: 'info',
  title: 'A kustomization is not built here',
  why: 'What it comes to is not known, so nothing of it is judged.',
  fix: 'Build it and give the result: kubectl kustomize FOLDER | mesh-edge check -.',
  see: 'https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/',
  reads: [],
  footguns: [],
  *check({ loaded: { notBuilt } }) {
    if (notBuilt === undefined) return;
    const { folder, reason } = notBuilt;
    yield {
      source: { file: folder },
      field: [],
      what: `${folder} is not built here: ${reason}`,
      fix: `Build it and give the result: kubectl kustomize ${folder} | mesh-edge check -.`,
    };
  },
};

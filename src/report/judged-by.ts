/** "judged by Istio 1.32 (default), Gateway API 1.4 experimental": by which releases, and who said so. */
import type { JudgedBy } from '../check/finding';
import { COMPONENTS } from '../model/releases';

export function judgedByLine(judged: readonly JudgedBy[]): string {
  return `judged by ${judged.map(one).join(', ')}`;
}

function one(judged: JudgedBy): string {
  const { compatibility } = judged;
  return compatibility === undefined
    ? byRelease(judged)
    : `${byRelease(judged)} with the defaults of ${compatibility} (compatibilityVersion)`;
}

/** Patches of Envoy Gateway decide about requests; of the others a release is all that is told apart. */
function patchOf(component: string, stated: string): string | undefined {
  return component === COMPONENTS.envoyGateway.title ? /^v?(\d+\.\d+\.\d+)/.exec(stated)?.[1] : undefined;
}

function byRelease({ component, release, stated, from }: JudgedBy): string {
  const [name = '', channel] = release.split('/');
  const isOther = stated.replace(/^v/, '').split('/')[0]?.startsWith(name) !== true;
  // Where nobody says which channel is installed, what any of them serves is taken.
  const title = `${component} ${isOther ? name : (patchOf(component, stated) ?? name)}${channel === undefined || from === 'default' ? '' : ` ${channel}`}`;
  if (isOther) return `${title} (the nearest to ${stated} that is known here)`;
  if (from === 'default') return `${title} (default)`;
  return from === 'manifests' ? `${title} (as the manifests show)` : title;
}

/** A comparison of running proxies with manifests, for people. */
import type { Difference, Verification } from '../verify/verify';

const SHOWN = 40;

export function formatVerification(found: readonly Verification[]): string {
  return found.map(one).join('\n');
}

function one({ proxy, verdict, compared, differences, refused, notInManifests, notCompared }: Verification): string {
  const { listeners, domains, clusters } = compared;
  const name = `${proxy.type} ${proxy.namespace}/${proxy.pod}`;
  const lines = [
    verdict === 'agreed'
      ? `${name}: agreed (${listeners} listeners, ${domains} domains, ${clusters} clusters are as the manifests say)`
      : verdict === 'not compared'
        ? `${name}: not compared`
        : `${name}: ${differences.length} difference${differences.length === 1 ? '' : 's'} (${listeners} listeners, ${domains} domains, ${clusters} clusters compared)`,
    ...differences.slice(0, SHOWN).flatMap(difference),
    ...refused.map(({ part, of, why }) => `  Envoy refused the last update of ${part} ${of}, and goes on with what it had: ${why}`), // prettier-ignore
  ];
  if (differences.length > SHOWN) lines.push(`  and ${differences.length - SHOWN} more (--format json has all)`);
  if (differences.length > 0)
    lines.push(
      '  Such a part is stale, was changed by hand or by an EnvoyFilter, or the manifests are not those that were applied.',
    );
  if (notInManifests.length > 0)
    lines.push(`  not in the manifests, and not judged: ${notInManifests.slice(0, 8).join(', ')}${notInManifests.length > 8 ? ` and ${notInManifests.length - 8} more` : ''}`); // prettier-ignore
  lines.push(`  not compared: ${notCompared.join('; ')}`);
  return `${lines.join('\n')}\n`;
}

function difference({ part, of, manifests, proxy }: Difference): readonly string[] {
  return [
    `  ${part} ${of}`,
    `    manifests: ${manifests ?? 'no such part'}`,
    `    proxy:     ${proxy ?? 'no such part'}`,
  ];
}

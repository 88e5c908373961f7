import { compareAge, config } from '../../model/objects';
import { record } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { nameOf } from '../edge';
import { targetsOf } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { FieldPath } from '../../model/manifest';
import type { Rule } from '../rule';

const KINDS = ['SecurityPolicy', 'BackendTrafficPolicy', 'ClientTrafficPolicy', 'EnvoyExtensionPolicy'];

export const rule: Rule = {
  id: 'EDGE832',
  name: 'policies-of-one-target',
  severity: 'warning',
  title: 'Two policies of one kind are for the same target',
  why: 'Envoy Gateway puts the older one in force and refuses the other (Conflicted), whatever that asks for. Which is older is not in the manifests, and another in a cluster that was made anew.',
  fix: 'Write both into one policy.',
  see: 'https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/security-policy/',
  reads: KINDS,
  footguns: ['Y23'],
  *check(context) {
    for (const kind of KINDS) {
      const byTarget = new Map<string, { manifest: Manifest; field: FieldPath }>();
      const policies = [...context.of(ENVOY_GATEWAY, kind)].sort((a, b) => compareAge(config(a), config(b)));
      for (const manifest of policies) {
        const single = record(record(manifest.body).spec).targetRef !== undefined;
        for (const [at, { kind: target = '', name = '', sectionName = '' }] of targetsOf(manifest).entries()) {
          const key = `${manifest.namespace} ${target} ${name} ${sectionName}`;
          const field = single ? ['spec', 'targetRef'] : ['spec', 'targetRefs', at];
          const other = byTarget.get(key);
          if (other === undefined) byTarget.set(key, { manifest, field });
          else if (other.manifest !== manifest)
            yield {
              manifest,
              field,
              what: `${nameOf(manifest)} and ${nameOf(other.manifest)} are both for ${target} ${manifest.namespace}/${name}${sectionName === '' ? '' : ` (${sectionName})`}: one of them is not in force`,
            };
        }
      }
    }
  },
};

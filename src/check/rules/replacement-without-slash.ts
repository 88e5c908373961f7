import { record, records, text } from '../../model/fields';
import { GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE816',
  name: 'replacement-without-slash',
  severity: 'warning',
  title: 'A path is replaced by one that does not begin with a slash',
  why: 'The proxy sends on what is written: a request line without a leading slash, which servers answer with 400.',
  fix: 'Begin the replacement with /.',
  see: 'https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/',
  reads: ['HTTPRoute'],
  footguns: ['G06'],
  *check(context) {
    for (const manifest of context.of(GATEWAY_API, 'HTTPRoute')) {
      for (const [r, rule] of records(record(record(manifest.body).spec).rules).entries()) {
        for (const [f, filter] of records(rule.filters).entries()) {
          for (const kind of ['urlRewrite', 'requestRedirect']) {
            const path = record(record(filter[kind]).path);
            for (const name of ['replacePrefixMatch', 'replaceFullPath']) {
              const value = text(path[name]);
              if (value === '' || value.startsWith('/')) continue;
              yield {
                manifest,
                field: ['spec', 'rules', r, 'filters', f, kind, 'path', name],
                what: `${name} is ${JSON.stringify(value)}`,
                fix: `Write ${JSON.stringify(`/${value}`)}.`,
              };
            }
          }
        }
      }
    }
  },
};

/** What Envoy Gateway does not take in its policies, as data: words are made of it last. */
import type { BackendFault } from './envoy-gateway-references';
import type { LackingData } from './lacking-data';

/** Why a selector of a rate limit is refused. */
export type SelectorProblem =
  | { readonly is: 'selects-nothing' | 'header-type' | 'parameter-type' }
  | { readonly is: 'not-an-expression'; readonly why: string }
  | { readonly is: 'no-range'; readonly range: string };

/** `path` is that of a field below `spec`. */
export type PolicyProblem =
  | { readonly is: 'no-duration'; readonly path: string; readonly value: unknown }
  | { readonly is: 'amount'; readonly path: string; readonly value: unknown; readonly least: number; readonly most: number } // prettier-ignore
  | { readonly is: 'limit-not-written'; readonly type: 'Local' | 'Global' }
  | { readonly is: 'several-general-limits' }
  | { readonly is: 'unit-of-limit'; readonly rule: number }
  | { readonly is: 'selector'; readonly path: string; readonly rule: number; readonly why: SelectorProblem }
  | { readonly is: 'bandwidth'; readonly path: string }
  | { readonly is: 'table-size'; readonly size: number; readonly most: number }
  | { readonly is: 'interval-of-nothing' | 'intervals-in-disorder'; readonly path: string }
  | { readonly is: 'body-missing'; readonly override: number; readonly lacking: LackingData }
  | { readonly is: 'buffer-of-upgrades' }
  | { readonly is: 'header-name'; readonly path: string; readonly header: string }
  | { readonly is: 'header-value'; readonly path: string; readonly header: string; readonly value: string }
  | { readonly is: 'default-host'; readonly hasSeveral: boolean }
  | { readonly is: 'ca-of-other-kind'; readonly kind: string }
  | { readonly is: 'no-ca'; readonly mode: string; readonly path: string }
  | { readonly is: 'processor-not-usable'; readonly backend: BackendFault }
  | { readonly is: 'processor-timeout'; readonly path: string }
  | { readonly is: 'lua-off' }
  | { readonly is: 'code-missing'; readonly lacking: LackingData }
  | { readonly is: 'code-not-written'; readonly path: string; readonly part: string }
  | { readonly is: 'module-not-allowed'; readonly module: string };

export interface PolicyFault {
  /** Below `spec`. */
  readonly field: string;
  readonly problem: PolicyProblem;
}

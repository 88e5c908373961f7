/** Why a request cannot be followed at all, as data: it is none, or names a client or a gateway that cannot be. */
import type { LeftOut } from '../model/left-out';
import type { ObjectRef } from './refs';

export type RequestProblem =
  | { readonly is: 'no-request'; readonly given: string }
  | { readonly is: 'no-port'; readonly given: string }
  | { readonly is: 'no-such-port'; readonly given: string; readonly port: number }
  | { readonly is: 'no-address'; readonly given: string }
  /** A gateway is named, and the client is one of the mesh. */
  | { readonly is: 'not-from-outside'; readonly from: string }
  | { readonly is: 'no-client'; readonly given: string }
  | { readonly is: 'no-gateway-named' }
  | { readonly is: 'foreign-controller'; readonly gateway: ObjectRef; readonly className: string }
  | { readonly is: 'gateway-left-out'; readonly gateway: ObjectRef; readonly by: LeftOut['by']; readonly why: string }
  /** `known`: gateways that there are. */
  | { readonly is: 'no-such-gateway'; readonly gateway: string; readonly known: readonly string[] }
  | { readonly is: 'gateway-without-pods'; readonly gateway: ObjectRef };

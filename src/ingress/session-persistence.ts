import { Duration } from 'cdk8s';
import { IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';
import { MeshTarget } from '../mesh/mesh-target';
import { supportProblems } from './controller-support';
import { gatewayDuration } from './durations';
import { IIngressClass, IngressController } from './ingress-class';

/**
 * Which Pod a client comes back to, as long as it is there: the proxy makes a token that names it. It is in the experimental channel of Gateway API, and Envoy Gateway does it;
 * `stickySessions` of a BackendTrafficPolicy lead by a hash instead, and need no experimental channel.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-1619/
 */
export class SessionPersistence {
  /**
   * The token is in a cookie, which is kept as long as the browser is open.
   *
   * @param name the name of the cookie; left out, the class's own
   */
  public static cookie(name?: string): SessionPersistence {
    return new SessionPersistence('Cookie', name);
  }

  /**
   * The token is in a cookie, which is kept for some time.
   *
   * @param lifetime how long
   * @param name the name of the cookie; left out, the class's own
   */
  public static permanentCookie(lifetime: Duration, name?: string): SessionPersistence {
    return new SessionPersistence('Cookie', name, lifetime);
  }

  /**
   * The token is in a header, which the client has to send back.
   *
   * @param name the name of the header
   */
  public static header(name: string): SessionPersistence {
    return new SessionPersistence('Header', name);
  }

  private constructor(
    /** Cookie or Header. */
    public readonly type: string,
    private readonly name?: string,
    private readonly lifetime?: Duration,
  ) {}

  /**
   * @param byKind whether names are said by kind, as Gateway API 1.7 has it
   * @internal
   */
  public _spec(byKind: boolean): { readonly [key: string]: unknown } {
    const { type, name, lifetime } = this;
    const permanent = lifetime && { lifetimeType: 'Permanent' };
    const named = type === 'Header' ? { header: { name } } : { cookie: { name, ...permanent } };
    return {
      type,
      absoluteTimeout: gatewayDuration(lifetime),
      ...(byKind ? named : { sessionName: name, cookieConfig: permanent }),
    };
  }

  /** @internal */
  public _problems(scope: IConstruct, ingressClass: IIngressClass): Problem[] {
    const { type, name, lifetime } = this;
    const problems = supportProblems(scope, ingressClass, 'sessionPersistence', 'sessionPersistence', READS_NOT);
    if (ingressClass.sendsThroughSidecar)
      problems.push({
        what: 'sessionPersistence at a gateway that sends through a sidecar',
        why: 'the sidecar chooses the Pod: clients would come to any',
        fix: 'say it to the mesh, by a DestinationRule with `consistentHash`',
      });
    if (name !== undefined && !/^[\w!#$%&'*+.^`|~-]{1,128}$/.test(name))
      problems.push({
        what: `sessionPersistence by ${type.toLowerCase()} ${quote(name)}`,
        why: 'the API server refuses the name',
        fix: "use letters, digits and !#$%&'*+-.^_`|~, 128 at most",
      });
    const target = MeshTarget.of(scope);
    const { controller } = ingressClass;
    const isNew = isByKind(target) && controller === IngressController.ENVOY_GATEWAY && target.envoyGateway === '1.9';
    if (isNew && (name !== undefined || lifetime))
      problems.push({
        what: `sessionPersistence with ${name === undefined ? 'a lifetime' : `the name ${quote(name)}`} by Gateway API 1.7`,
        why: 'Envoy Gateway 1.9 reads the fields that Gateway API 1.6 has for it: the proxy would choose a name, and keep the cookie as long as the browser is open',
        fix: 'use SessionPersistence.cookie() alone, or Gateway API 1.6 with its experimental channel',
      });
    return problems;
  }
}

const READS_NOT = 'Istio does not read it: clients would come to any Pod';

/**
 * Whether the Gateway API of a target has names by kind: `cookie.name`, and no `sessionName`.
 *
 * @internal
 */
export function isByKind(target: MeshTarget): boolean {
  return target.gatewayApi === '1.7' || target.gatewayApi === '1.7/experimental';
}

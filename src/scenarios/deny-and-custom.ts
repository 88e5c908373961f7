import { Construct } from 'constructs';
import { AccessTarget } from '../access/access-target';
import { AuthorizationAction, AuthorizationPolicy } from '../access/authorization-policy';
import { IstioInstall } from '../install/istio-install';
import { ExternalAuthorizer } from '../mesh/external-authorizer';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** What is refused whoever asks, and what another service is asked about, before a workload. */
export class DenyAndCustom extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'deny-and-custom', {
      title: 'DENY, and another service asked (CUSTOM), before a workload',
      shows:
        "`/anything/internal` of httpbin is refused to whoever asks from another namespace. About `/anything/partners` the sidecar asks `opa` by gRPC first, which the mesh configuration names: where it can't be asked, requests are refused. Everything else passes.",
      outcomes: [
        { request: '`/get`', seen: '200' },
        { request: '`/anything/internal`, from `default`', seen: '403, `rbac_access_denied` in the log of httpbin' },
        { request: '`/anything/partners`, with no `opa` to ask', seen: '403, flag UAEX' },
      ],
      needs: ['`demo-httpbin`', 'a service `opa.policy` that speaks ext_authz on port 9191'],
    });
    const opa = ExternalAuthorizer.grpc('opa', 'opa.policy.svc.cluster.local', 9191);
    new IstioInstall(this, 'Install', { externalAuthorizers: [opa] });
    const target = AccessTarget.workloads(Workloads.in('httpbin', { app: 'httpbin' }));
    new AuthorizationPolicy(this, 'Internal', {
      target,
      action: AuthorizationAction.deny(),
      rules: [{ exceptCallers: [Workloads.in('httpbin')], paths: ['/anything/internal*'] }],
    });
    new AuthorizationPolicy(this, 'Partners', {
      target,
      action: AuthorizationAction.custom(opa),
      rules: [{ paths: ['/anything/partners*'] }],
    });
  }
}

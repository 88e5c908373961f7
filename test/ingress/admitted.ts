import { ApiObject, Chart } from 'cdk8s';
import { MeshTargetProps } from '../../src';
import { check } from '../../src/check/check';
import { loadObjects } from '../../src/model/load';

/** What the API server of the target's releases refuses or drops of all that is rendered. */
export function notAdmitted(of: Chart, target: MeshTargetProps): readonly string[] {
  const objects = of.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
  const { istio: istioVersion, gatewayApi: gatewayApiVersion, envoyGateway: envoyGatewayVersion } = target;
  const loaded = loadObjects(objects.map((object) => object.toJson()));
  return check(loaded, { istioVersion, gatewayApiVersion, envoyGatewayVersion })
    .findings.filter(({ id }) => /^EDGE00[234]$/.test(id))
    .map(({ what, field }) => `${field}: ${what}`);
}

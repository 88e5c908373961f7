import { SUPPORT } from '../../src/ingress/controller-support';
import { ENVOY_GATEWAY_SWITCHES, ISTIO_SWITCHES } from '../../src/model/release-behavior';

/** The two halves share no code, so each has a table of its own: what both know has to be the same. */
describe('what constructs know of controllers', () => {
  it('is what the reading half knows of Istio', () => {
    expect(SUPPORT.listenerSets.istio).toBe(ISTIO_SWITCHES.readsListenerSets.since);
  });

  it('is what the reading half knows of Envoy Gateway', () => {
    expect(SUPPORT.listenerSets.envoyGateway).toBe(ENVOY_GATEWAY_SWITCHES.readsListenerSets.since);
    expect(SUPPORT.redirectsWithAnyCode.envoyGateway).toBe(ENVOY_GATEWAY_SWITCHES.redirectsWithAnyCode.since);
  });
});

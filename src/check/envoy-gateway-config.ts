/** The configuration of Envoy Gateway's controller, in whatever carries it, found once for all rules. */
import { type EnvoyGatewaySettings, settingsOf } from '../model/envoy-gateway-settings';
import { defineIndex } from './context';

export type ControllerConfig = EnvoyGatewaySettings;

export const controllerConfigs = defineIndex('controller configs', ({ mesh }): readonly ControllerConfig[] =>
  settingsOf(mesh),
);

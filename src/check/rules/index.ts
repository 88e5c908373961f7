/** Every rule, by its id. Written by `node scripts/rules-index.mjs`; a test fails if a rule is left out. */
import type { Rule } from '../rule';
import { rule as unreadableDocument } from './unreadable-document';
import { rule as schemaViolation } from './schema-violation';
import { rule as celRuleViolation } from './cel-rule-violation';
import { rule as unknownKind } from './unknown-kind';
import { rule as serviceEntryRefused } from './service-entry-refused';
import { rule as virtualServiceRefused } from './virtual-service-refused';
import { rule as destinationRuleRefused } from './destination-rule-refused';
import { rule as gatewayRefused } from './gateway-refused';
import { rule as sidecarRefused } from './sidecar-refused';
import { rule as authorizationPolicyRefused } from './authorization-policy-refused';
import { rule as peerAuthenticationRefused } from './peer-authentication-refused';
import { rule as requestAuthenticationRefused } from './request-authentication-refused';
import { rule as telemetryRefused } from './telemetry-refused';
import { rule as gatewayLoop } from './gateway-loop';
import { rule as noListenerOnGateway } from './no-listener-on-gateway';
import { rule as noRouteOnGateway } from './no-route-on-gateway';
import { rule as destinationMissing } from './destination-missing';
import { rule as subsetMissing } from './subset-missing';
import { rule as noEndpoint } from './no-endpoint';
import { rule as requestRefused } from './request-refused';
import { rule as tlsInsideTls } from './tls-inside-tls';
import { rule as plainTextToTlsPort } from './plain-text-to-tls-port';
import { rule as sniNotServed } from './sni-not-served';
import { rule as tlsModesDiffer } from './tls-modes-differ';
import { rule as destinationNotDeclared } from './destination-not-declared';
import { rule as blockedByNetworkPolicy } from './blocked-by-network-policy';

export const rules: readonly Rule[] = [
  unreadableDocument,
  schemaViolation,
  celRuleViolation,
  unknownKind,
  serviceEntryRefused,
  virtualServiceRefused,
  destinationRuleRefused,
  gatewayRefused,
  sidecarRefused,
  authorizationPolicyRefused,
  peerAuthenticationRefused,
  requestAuthenticationRefused,
  telemetryRefused,
  gatewayLoop,
  noListenerOnGateway,
  noRouteOnGateway,
  destinationMissing,
  subsetMissing,
  noEndpoint,
  requestRefused,
  tlsInsideTls,
  plainTextToTlsPort,
  sniNotServed,
  tlsModesDiffer,
  destinationNotDeclared,
  blockedByNetworkPolicy,
];
